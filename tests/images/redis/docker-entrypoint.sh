#!/bin/sh
# The interface of the official image's entry point: it takes arguments of the server, which runs as
# the user redis, and which without a configuration file accepts connections from other containers.
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
    # The option goes after a configuration file, and before the other arguments.
    case ${1:-} in
        *.conf) file=$1 && shift && set -- redis-server "$file" --protected-mode no "$@" ;;
        *) set -- redis-server --protected-mode no "$@" ;;
    esac
fi
exec "$@"
