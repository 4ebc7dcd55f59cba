#!/bin/bash
# Builds the benchmark programs and records the hashes of sources and results. Wants gcc-mipsel-linux-gnu, musl for it
# (router-firmware/toolchain.sh) and, for the expected output, qemu-mipsel-static.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$ROOT"
. router-firmware/toolchain.sh
cd test/guest/bench
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

${CROSS}gcc -O2 -mips32r2 -ffreestanding -fno-stack-protector -nostdlib -static -Wl,--build-id=none -o coremark-like coremark-like.c
${CROSS}strip coremark-like
if command -v qemu-mipsel-static >/dev/null; then qemu-mipsel-static ./coremark-like 20 > expected-20; fi
musl_cc -c -o "$TMP/netbench.o" netbench.c
musl_cc -o "$TMP/netbench" "$TMP/netbench.o"
${CROSS}strip -s -o netbench "$TMP/netbench"
sum() { sha256sum "$1" | cut -d' ' -f1; }
{
	printf '{\n  "coremark-like.c": "%s",\n  "coremark-like": "%s",\n' "$(sum coremark-like.c)" "$(sum coremark-like)"
	printf '  "netbench.c": "%s",\n  "netbench": "%s"\n}\n' "$(sum netbench.c)" "$(sum netbench)"
} > manifest.json
