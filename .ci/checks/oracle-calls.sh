# Odd questions to the kernel get the same answers here and under qemu-mipsel, call by call.
exec node test/oracle/calls.mjs
