#!/bin/bash
# Builds test/hostile/bin/attacks and notes what it was built from; part of `npm run firmware`.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$ROOT"
. router-firmware/toolchain.sh

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
INCLUDES="-I router-firmware/sdk/include -I test/guest"
mkdir -p test/hostile/bin
musl_cc -c $INCLUDES -o "$TMP/sdk.o" router-firmware/sdk/checkpoint.c
musl_cc -c $INCLUDES -fno-delete-null-pointer-checks -o "$TMP/attacks.o" test/hostile/attacks.c
musl_cc -o "$TMP/attacks" "$TMP/attacks.o" "$TMP/sdk.o"
${CROSS}strip -s -o test/hostile/bin/attacks "$TMP/attacks"
node router-firmware/manifest.mjs test/hostile
