"""The ledger: what is known of every arrival, what is new, who may load it.

The only SQL that names `landfall.*`.
"""
