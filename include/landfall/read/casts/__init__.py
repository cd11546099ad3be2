"""The equivalence rule: which cells the fast path may cast, and which Postgres must judge."""
