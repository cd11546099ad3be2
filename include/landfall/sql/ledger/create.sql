-- The ledger: one row for each arrival that was loaded or tried.
CREATE TABLE IF NOT EXISTS landfall.ledger (
    load_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed text NOT NULL,
    bucket text NOT NULL,
    key text NOT NULL,
    etag text NOT NULL,
    version_id text,
    size bigint NOT NULL,
    last_modified timestamptz NOT NULL,
    target text NOT NULL,
    rows bigint,
    started timestamptz NOT NULL,
    seconds double precision,
    status text NOT NULL CHECK (status IN ('loading', 'loaded', 'failed', 'superseded')),
    error text,
    loaded_by text NOT NULL,
    attempt uuid NOT NULL,
    version text GENERATED ALWAYS AS (coalesce(version_id, etag)) STORED,
    UNIQUE (feed, bucket, key, version)
);

ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS retry_after timestamptz;

COMMENT ON TABLE landfall.ledger IS
    'One row for each arrival (a version of an object) of each feed. It commits with the data.';
COMMENT ON COLUMN landfall.ledger.load_id IS 'Every row of the target carries it as _load_id';
COMMENT ON COLUMN landfall.ledger.status IS
    'loaded; failed (its data rolled back); superseded (a newer file took its rows'' place); '
    'loading is never seen from outside';
COMMENT ON COLUMN landfall.ledger.loaded_by IS 'Who loaded it, or tried last';
COMMENT ON COLUMN landfall.ledger.attempt IS 'Tells whose COMMIT arrived when a connection broke';
COMMENT ON COLUMN landfall.ledger.version IS 'What tells two versions of one object apart';
COMMENT ON COLUMN landfall.ledger.retry_after IS
    'Of a failed one: the sensor does not hand it on before. The time doubles with each failure';
