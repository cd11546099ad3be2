"""From an arrival's bytes to frames. It knows no database, and may run in a process of its own."""
