"""Real servers on this machine (PostgreSQL, an object store, Redis) and programs that use them."""
