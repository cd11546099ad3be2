"""The ledger: what is known of every arrival, what is new, who may load it.

The tables of the schema `landfall`, and the statements on them. Statements that join them with the
target or with temporary tables of a load are in `write`.
"""
