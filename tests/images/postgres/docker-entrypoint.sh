#!/usr/bin/env bash
# The interface of the official image's entry point: POSTGRES_USER, POSTGRES_PASSWORD (or
# POSTGRES_PASSWORD_FILE), POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, PGDATA,
# /docker-entrypoint-initdb.d, arguments of the server; the server runs as postgres.
set -euo pipefail

as_postgres() {
    mkdir -p "$PGDATA"
    chown -R postgres:postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$BASH_SOURCE" "$@"
}

make_cluster() {
    local auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$auth" != trust ]; then
        echo >&2 "Error: Database is uninitialized and superuser password is not specified."
        echo >&2 "       Set POSTGRES_PASSWORD to a value that is not empty."
        exit 1
    fi
    # One variable may hold several options, as in the official image: "--data-checksums --locale=C".
    eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\${POSTGRES_PASSWORD:-trusted}\") ${POSTGRES_INITDB_ARGS:-}"
    printf '\nhost all all all %s\n' "$auth" >>"$PGDATA/pg_hba.conf"
}

fill_cluster() {
    # It listens on the socket only: a client that waits for the port must not reach this server yet.
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    if [ "$POSTGRES_DB" != postgres ]; then
        psql --username "$POSTGRES_USER" --dbname postgres -v ON_ERROR_STOP=1 -v name="$POSTGRES_DB" \
            <<<'CREATE DATABASE :"name";'
    fi
    for file in /docker-entrypoint-initdb.d/*; do
        run_file "$file"
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
}

run_file() {
    local psql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB")
    echo "$0: running $1"
    case $1 in
        *.sh) if [ -x "$1" ]; then "$1"; else . "$1"; fi ;;
        *.sql) "${psql[@]}" --file "$1" ;;
        *.sql.gz) gunzip --stdout "$1" | "${psql[@]}" ;;
        *) echo "$0: ignoring $1" ;;
    esac
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
if [ "$1" = postgres ]; then
    [ "$(id -u)" != 0 ] || as_postgres "$@"
    shopt -s nullglob
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE"); fi
        export POSTGRES_USER=${POSTGRES_USER:-postgres}
        export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
        make_cluster
        PGPASSWORD=${POSTGRES_PASSWORD:-} fill_cluster
        printf '\nPostgreSQL init process complete; ready for start up.\n\n'
    fi
fi
exec "$@"
