#!/bin/sh
# Builds the benchmark program and records the hashes of source and result. Wants gcc-mipsel-linux-gnu and,
# for the expected output, qemu-mipsel-static.
set -e
cd "$(dirname "$0")"
mipsel-linux-gnu-gcc -O2 -mips32r2 -ffreestanding -fno-stack-protector -nostdlib -static -Wl,--build-id=none -o coremark-like coremark-like.c
mipsel-linux-gnu-strip coremark-like
qemu-mipsel-static ./coremark-like 20 > expected-20
printf '{\n  "coremark-like.c": "%s",\n  "coremark-like": "%s"\n}\n' \
	"$(sha256sum coremark-like.c | cut -d' ' -f1)" "$(sha256sum coremark-like | cut -d' ' -f1)" > manifest.json
