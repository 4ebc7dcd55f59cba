# Scenarios on unmodified programs of Debian hold their assertions, and docs/unmodified.md says so.
exec node test/programs/scenarios.mjs
