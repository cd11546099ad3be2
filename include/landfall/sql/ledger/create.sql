-- The ledger: one row for each arrival that was loaded or tried. No load fills version_id: listings have
-- no version ids. The column stays, because a ledger of an earlier version has it.
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
    status text NOT NULL CHECK (status IN ('loading', 'loaded', 'failed', 'superseded', 'duplicate')),
    error text,
    loaded_by text NOT NULL,
    attempt uuid NOT NULL,
    version text GENERATED ALWAYS AS (coalesce(version_id, etag)) STORED,
    UNIQUE (feed, bucket, key, version)
);

COMMENT ON TABLE landfall.ledger IS
    'One row for each arrival (a version of an object) of each feed. It commits with the data.';
COMMENT ON COLUMN landfall.ledger.load_id IS 'Every row of the target carries it as _load_id';
COMMENT ON COLUMN landfall.ledger.status IS
    'loaded; failed (its data rolled back); superseded (a newer file took its rows'' place); '
    'duplicate (refused, because another file brought its content); '
    'loading is never seen from outside';
COMMENT ON COLUMN landfall.ledger.loaded_by IS 'Who loaded it, or tried last';
COMMENT ON COLUMN landfall.ledger.attempt IS 'Tells whose COMMIT arrived when a connection broke';
COMMENT ON COLUMN landfall.ledger.version IS 'What tells two versions of one object apart';

-- A ledger of an earlier version gets what has come since.
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS rejected bigint;
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS reasons jsonb;
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS retry_after timestamptz;
COMMENT ON COLUMN landfall.ledger.reasons IS 'How many rows were rejected for which reason, when the file was read';

-- The rejects: one row for each row of a file that was refused.
CREATE TABLE IF NOT EXISTS landfall.rejects (
    reject_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id bigint NOT NULL,
    feed text NOT NULL,
    bucket text NOT NULL,
    key text NOT NULL,
    version text NOT NULL,
    line bigint,
    row_number bigint NOT NULL,
    column_name text,
    reason text NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL,
    more jsonb,
    raw text,
    cells jsonb,
    state text NOT NULL DEFAULT 'open'
    CHECK (state IN ('open', 'sample', 'replayed', 'nulled', 'dismissed', 'superseded')),
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    settled_by text
);
CREATE INDEX IF NOT EXISTS rejects_of_feed ON landfall.rejects (feed, state, reject_id);
CREATE INDEX IF NOT EXISTS rejects_of_load ON landfall.rejects (load_id, state);

COMMENT ON TABLE landfall.rejects IS
    'Rows of files that were refused, with the reason. They commit with the data of their file.';
COMMENT ON COLUMN landfall.rejects.load_id IS 'The load that read the file: landfall.ledger.load_id';
COMMENT ON COLUMN landfall.rejects.line IS 'The physical line on which the row begins; null where a format has none';
COMMENT ON COLUMN landfall.rejects.row_number IS 'The row''s number in the file that key and member name; the first after the header is 1';
COMMENT ON COLUMN landfall.rejects.message IS 'What is wrong, in the server''s own words where the server said it';
COMMENT ON COLUMN landfall.rejects.more IS 'The other reasons of the same row: column, reason, sqlstate, message';
COMMENT ON COLUMN landfall.rejects.raw IS 'The row as it stands in the file, as far as the feed keeps it';
COMMENT ON COLUMN landfall.rejects.cells IS 'The row''s cells by column, where it could be cut into cells';
COMMENT ON COLUMN landfall.rejects.state IS
    'open; sample (its file was refused whole); replayed (it is in the target now); nulled (its row is in '
    'the target, and this cell is NULL); dismissed; '
    'superseded (another version of its object was loaded)';

-- The replays: each try to load rejects once more.
CREATE TABLE IF NOT EXISTS landfall.replays (
    replay_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id bigint NOT NULL,
    replayed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    rows bigint NOT NULL,
    refused bigint NOT NULL,
    replayed_by text NOT NULL
);
COMMENT ON TABLE landfall.replays IS
    'One row for each load whose rejects were replayed: rows that went in, rows that stay rejects';
COMMENT ON COLUMN landfall.ledger.retry_after IS
    'Of one that failed: the sensor does not hand it on before. The time doubles with each failure';

-- Rejects of an earlier version have no state `nulled`.
ALTER TABLE landfall.rejects DROP CONSTRAINT IF EXISTS rejects_state_check;
ALTER TABLE landfall.rejects ADD CONSTRAINT rejects_state_check
CHECK (state IN ('open', 'sample', 'replayed', 'nulled', 'dismissed', 'superseded'));

-- A reject of an earlier version has no member.
ALTER TABLE landfall.rejects ADD COLUMN IF NOT EXISTS member text;
COMMENT ON COLUMN landfall.rejects.member IS
    'The member of a zip file of several; line and row_number count in it. Null where the object is one file';

-- The changes: what of a file, or of the table, was not as the feed declares it.
CREATE TABLE IF NOT EXISTS landfall.changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id bigint NOT NULL,
    feed text NOT NULL,
    bucket text NOT NULL,
    key text NOT NULL,
    what text NOT NULL,
    column_name text,
    before text,
    after text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS changes_of_feed ON landfall.changes (feed, change_id);
COMMENT ON TABLE landfall.changes IS
    'One row for each departure of a file from its feed''s contract that the feed takes, and for each '
    'alteration of the table. They commit with the data of their file.';
COMMENT ON COLUMN landfall.changes.what IS
    'new column, missing column, other name, column added, type widened, rows padded, cells nulled, rows gone, absent keys kept';

-- What merges replaced: for each load and key the rows before.
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS deduplicated bigint;
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS kept_until timestamptz;
COMMENT ON COLUMN landfall.ledger.rejected IS
    'Rows of the file that are rejects: rows read = rows + rejected + deduplicated';
COMMENT ON COLUMN landfall.ledger.deduplicated IS
    'Rows of the file that lost to a newer row of their key or, when they were replayed, to a later file';
COMMENT ON COLUMN landfall.ledger.kept_until IS
    'Of a merge: until then landfall forget can bring back what it replaced';
CREATE TABLE IF NOT EXISTS landfall.replaced (
    replaced_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id bigint NOT NULL,
    target text NOT NULL,
    key jsonb NOT NULL,
    is_changed boolean NOT NULL,
    before jsonb,
    after text NOT NULL
);
CREATE INDEX IF NOT EXISTS replaced_of_load ON landfall.replaced (load_id);
CREATE INDEX IF NOT EXISTS replaced_of_key ON landfall.replaced USING hash (key);
ALTER TABLE landfall.replaced ADD COLUMN IF NOT EXISTS columns jsonb;
COMMENT ON TABLE landfall.replaced IS
    'What merges replaced: a row for each key of a file, as long as the feed keeps it';
COMMENT ON COLUMN landfall.replaced.is_changed IS 'Whether the load changed the rows of the key';
COMMENT ON COLUMN landfall.replaced.before IS
    'The rows of a changed key before the load; null where there was none';
COMMENT ON COLUMN landfall.replaced.after IS 'The MD5 of its rows after the load; empty where there is none';
COMMENT ON COLUMN landfall.replaced.columns IS
    'In the first row of each merge: the columns that the table had, which says how its rows are to be read';

-- Content that was loaded before under another name.
ALTER TABLE landfall.ledger DROP CONSTRAINT IF EXISTS ledger_status_check;
ALTER TABLE landfall.ledger ADD CONSTRAINT ledger_status_check
CHECK (status IN ('loading', 'loaded', 'failed', 'superseded', 'duplicate'));
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS content_hash bytea;
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS duplicate_of bigint;
CREATE INDEX IF NOT EXISTS ledger_of_content ON landfall.ledger USING hash (content_hash);
COMMENT ON COLUMN landfall.ledger.content_hash IS 'SHA-256 of the object''s bytes, where it was taken';
COMMENT ON COLUMN landfall.ledger.duplicate_of IS
    'The load that brought the same content from an object of another key';

-- By it a load finds in which tables files of its feed are.
CREATE INDEX IF NOT EXISTS ledger_of_target ON landfall.ledger (feed, target) WHERE status = 'loaded';

-- When the arrival failed last. It is what came last.
ALTER TABLE landfall.ledger ADD COLUMN IF NOT EXISTS failed_at timestamptz;
COMMENT ON COLUMN landfall.ledger.failed_at IS 'When the last try failed; null where it did not';
COMMENT ON COLUMN landfall.ledger.error IS
    'Why the last try failed. Of a loaded or superseded one: a try to load it again, which changed nothing';
