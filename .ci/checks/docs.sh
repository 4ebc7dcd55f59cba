# Every command in README.md and docs/ runs.
exec node test/docs.mjs
