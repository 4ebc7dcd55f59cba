#!/bin/bash
# Builds everything that is committed in binary form: the SDK, the daemons and samples (bin/, debug/), the root filesystem's
# image (image/) and the guest test programs (test/guest/bin). The same sources and compiler give the same bytes.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT"
. router-firmware/toolchain.sh

FW=router-firmware
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
mkdir -p $FW/bin $FW/debug $FW/image

# program NAME FLAGS SOURCES…: -g1 is enough for a backtrace and line numbers. Both files hold the same code.
program() {
	local name=$1 flags=$2 objects=() source object
	shift 2
	for source in "$@"; do
		object=$TMP/$name-$(echo "$source" | tr / -).o
		musl_cc -c -g1 $flags -I $FW/sdk/include -o "$object" "$source"
		objects+=("$object")
	done
	musl_cc -o "$TMP/$name" "${objects[@]}"
	${CROSS}objcopy --compress-debug-sections "$TMP/$name" "$FW/debug/$name"
	${CROSS}strip -s -o "$FW/bin/$name" "$TMP/$name"
}

SDK="$FW/sdk/checkpoint.c $FW/sdk/recover.c $FW/sdk/filter.c"
program init "" $FW/init/*.c
program dnsd "" $FW/dnsd/*.c $SDK
program dnsd.patched -DPATCHED $FW/dnsd/*.c $SDK
program dhcpd "" $FW/dhcpd/*.c $SDK
program dhcpd.patched -DPATCHED $FW/dhcpd/*.c $SDK
program quotad "" $FW/quotad/*.c $SDK
program quotad.patched -DPATCHED $FW/quotad/*.c $SDK
for sample in paper-corrupt paper-read-loop paper-pipe ballast; do
	program $sample "" $FW/samples/$sample.c $FW/sdk/checkpoint.c
done

node $FW/targets.mjs
node $FW/make-image.mjs
node $FW/manifest.mjs $FW
bash $FW/build-guest.sh
