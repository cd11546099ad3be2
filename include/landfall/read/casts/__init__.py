"""The equivalence rule: which cells the fast path may cast, and which Postgres must judge.

A loaded cell is what Postgres itself reads from the file's text. The fast path takes only forms on
which Arrow's strict casts and Postgres's input functions agree. A cell of any other form makes its
row a suspect, which Postgres judges. tests/integration/landfall/test_law.py holds the rule.
"""
