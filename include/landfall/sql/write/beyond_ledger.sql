-- One of the latest rows in the table that is of a load after the last one of the ledger.
SELECT t.{load_id}
FROM {target} AS t
WHERE t.{load_id} > {last} AND t.ctid >= {first_page}::tid
LIMIT 1
