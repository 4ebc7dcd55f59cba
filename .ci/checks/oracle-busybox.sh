# An unmodified busybox says the same here and under qemu-mipsel, case by case.
exec node test/oracle/busybox.mjs
