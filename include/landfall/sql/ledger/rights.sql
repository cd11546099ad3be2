-- What a load needs of its role beside the target's table. Null: there is no such schema or table.
SELECT
    current_setting('server_version') AS version,
    quote_ident(current_user) AS role,
    quote_ident(current_database()) AS database,
    has_database_privilege(current_database(), 'TEMPORARY') AS temporary,
    has_database_privilege(current_database(), 'CREATE') AS creates_schemas,
    s.usage AND s.creation AS creates_ledger,
    -- Without the schema's USAGE no right to a table in it is of use.
    s.usage AND t.granted AS writes_ledger,
    s.usage AND rejects.granted AS writes_rejects,
    s.usage AND replays.granted AS writes_replays,
    s.usage AND changes.granted AS writes_changes,
    s.usage AND replaced.granted AS writes_replaced,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = t.oid AND attname = 'failed_at')
    AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = replaced.oid AND attname = 'columns') AS is_newest,
    -- A ledger of an earlier version gets columns and tables, and only an owner can add a column.
    s.creation AND foreign_tables.owners IS NULL AS extends_ledger,
    foreign_tables.owners,
    concat_ws(
        '; ', foreign_tables.takes_over, format('GRANT USAGE, CREATE ON SCHEMA landfall TO %I', current_user)
    ) AS takes_over
FROM (SELECT 1) AS one
LEFT JOIN (
    SELECT
        oid,
        has_schema_privilege(oid, 'USAGE') AS usage,
        has_schema_privilege(oid, 'CREATE') AS creation
    FROM pg_namespace
    WHERE nspname = 'landfall'
) AS s ON true
LEFT JOIN (
    SELECT
        relnamespace,
        'tables of ' || string_agg(DISTINCT relowner::regrole::text, ', ') AS owners,
        string_agg(
            format('ALTER TABLE landfall.%I OWNER TO %I', relname, current_user), '; '
            ORDER BY relname
        ) AS takes_over
    FROM pg_class
    WHERE relname IN ('ledger', 'rejects', 'replays', 'changes', 'replaced')
        AND NOT pg_has_role(relowner, 'USAGE')
    GROUP BY relnamespace
) AS foreign_tables ON foreign_tables.relnamespace = s.oid
LEFT JOIN (
    SELECT
        oid,
        relnamespace,
        has_table_privilege(oid, 'SELECT')
        AND has_table_privilege(oid, 'INSERT')
        AND has_table_privilege(oid, 'UPDATE') AS granted
    FROM pg_class
    WHERE relname = 'ledger'
) AS t ON t.relnamespace = s.oid
LEFT JOIN (
    SELECT
        relnamespace,
        has_table_privilege(oid, 'SELECT')
        AND has_table_privilege(oid, 'INSERT')
        AND has_table_privilege(oid, 'UPDATE')
        AND has_table_privilege(oid, 'DELETE') AS granted
    FROM pg_class
    WHERE relname = 'rejects'
) AS rejects ON rejects.relnamespace = s.oid
LEFT JOIN (
    SELECT
        relnamespace,
        has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') AS granted
    FROM pg_class
    WHERE relname = 'replays'
) AS replays ON replays.relnamespace = s.oid
LEFT JOIN (
    SELECT
        relnamespace,
        has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') AS granted
    FROM pg_class
    WHERE relname = 'changes'
) AS changes ON changes.relnamespace = s.oid
LEFT JOIN (
    SELECT
        oid,
        relnamespace,
        has_table_privilege(oid, 'SELECT')
        AND has_table_privilege(oid, 'INSERT')
        AND has_table_privilege(oid, 'DELETE') AS granted
    FROM pg_class
    WHERE relname = 'replaced'
) AS replaced ON replaced.relnamespace = s.oid;
