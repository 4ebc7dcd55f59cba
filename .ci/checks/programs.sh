# Unmodified programs of Debian for mipsel serve their clients, and docs/programs.md says so.
exec node test/programs/run.mjs --check
