# Real clients of this machine talk to unmodified programs of Debian, and docs/clients.md says so.
exec node test/programs/clients.mjs
