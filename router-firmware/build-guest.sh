#!/bin/bash
# Builds the guest test programs into test/guest/bin. Every test/guest/NAME.c becomes bin/NAME (musl, static, stripped);
# those listed in GLIBC become bin/NAME-glibc too.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT"
. router-firmware/toolchain.sh

GLIBC="hello malloc float signals tcp robust"
OUT=test/guest/bin
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
mkdir -p "$OUT"

SDK="-I router-firmware/sdk/include"
musl_cc -c $SDK -o "$TMP/sdk.o" router-firmware/sdk/checkpoint.c
for source in test/guest/*.c; do
	name=$(basename "$source" .c)
	musl_cc -c $SDK -fno-builtin-memcmp -o "$TMP/$name.o" "$source"
	case $name in
	checkpoint|recovery|hazards|tcp-recovery|thaw-descriptors) musl_cc -o "$TMP/$name" "$TMP/$name.o" "$TMP/sdk.o" ;;
	*) musl_cc -o "$TMP/$name" "$TMP/$name.o" ;;
	esac
	${CROSS}strip -s -o "$OUT/$name" "$TMP/$name"
done
for name in $GLIBC; do
	glibc_cc -o "$TMP/$name-glibc" "test/guest/$name.c"
	${CROSS}strip -s -o "$OUT/$name-glibc" "$TMP/$name-glibc"
done
node router-firmware/manifest.mjs test/guest
bash test/hostile/build.sh
bash test/guest/bench/build.sh
