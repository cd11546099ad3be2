-- Who holds a table: the strongest lock first, then the oldest. Of the sessions of other roles a role that may
-- not look at them sees no state and no time.
SELECT
    activity.pid,
    activity.application_name,
    activity.usename::text AS role,
    activity.state,
    to_char(activity.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') AS since
FROM pg_stat_activity AS activity
INNER JOIN pg_locks AS held ON activity.pid = held.pid
INNER JOIN pg_class AS class ON held.relation = class.oid
INNER JOIN pg_namespace AS schema ON class.relnamespace = schema.oid
WHERE
    schema.nspname = %s AND class.relname = %s AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND activity.pid <> pg_backend_pid()
GROUP BY
    activity.pid, activity.application_name, activity.usename, activity.state, activity.xact_start
ORDER BY
    max(array_position(
        ARRAY[
            'AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock',
            'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'
        ], held.mode
    )) DESC,
    activity.xact_start
