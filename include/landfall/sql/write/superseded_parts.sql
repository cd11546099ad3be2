-- Takes replayed rows out of INCOMING whose part of the target a later load has replaced: with a row that was
-- good from the start the same would have happened.
DELETE FROM {incoming} AS i
WHERE EXISTS (
    SELECT 1
    FROM {target} AS t
    INNER JOIN landfall.ledger AS later ON later.load_id = t.{load_id}
    INNER JOIN landfall.ledger AS own ON own.load_id = {this_load}
    WHERE
        {same_key}
        AND later.load_id <> own.load_id
        AND later.started + make_interval(secs => later.seconds) > own.started + make_interval(secs => own.seconds)
)
