# The event logs of the catalog are the same bytes on other major versions of Node.
exec node test/nodes.mjs
