# Unmodified daemons with a pool of workers, or a child for each client, live through faults under the guard.
exec node test/programs/pools.mjs
