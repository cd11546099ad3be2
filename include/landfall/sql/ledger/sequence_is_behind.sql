-- Whether the ledger has load ids that its sequence will give out again: logical replication and a restore of
-- the data alone bring rows and no sequences. A role that may not look at the sequence is told no.
SELECT
    coalesce(
        CASE
            WHEN has_sequence_privilege(own.sequence, 'USAGE')
                THEN
                    (SELECT max(load_id) FROM landfall.ledger)
                    > coalesce(pg_sequence_last_value(own.sequence::regclass), 0)
        END,
        false
    )
FROM (SELECT pg_get_serial_sequence('landfall.ledger', 'load_id') AS sequence) AS own
