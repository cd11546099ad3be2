#!/bin/sh
# What the official image's entry point promises: arguments of the server, which runs as redis and,
# with no configuration but its arguments, takes connections from other containers.
set -eu

case ${1:-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi
if [ "$1" = redis-server ]; then
    shift
    # After a configuration file, and before what the caller says.
    case ${1:-} in
        *.conf) file=$1 && shift && set -- redis-server "$file" --protected-mode no "$@" ;;
        *) set -- redis-server --protected-mode no "$@" ;;
    esac
fi
exec "$@"
