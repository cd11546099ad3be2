-- Deletes the rows of other loads that are in the parts of the rows in INCOMING.
DELETE FROM {target} AS t
USING (SELECT DISTINCT {key} FROM {incoming}) AS i
WHERE
    {same_key}
    AND t.{load_id} IS DISTINCT FROM {this_load}
    AND {is_replaced}
