# Malformed captures (of tcpdump's tests, with mutants) harm neither a network stack nor a router, and every frame is accounted for.
exec node test/hostile/captures.mjs
