# The committed golden results of the CPU are what qemu-mipsel computes.
command -v qemu-mipsel-static >/dev/null || { echo 'skipped: no qemu-mipsel-static'; exit 0; }
exec node test/cpu/oracle.mjs --check
