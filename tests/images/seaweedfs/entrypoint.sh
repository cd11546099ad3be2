#!/bin/sh
# As in the official image, the first argument is a command of weed, whose data is in /data.
set -eu

case ${1:-} in
    master) shift && set -- master -mdir=/data "$@" ;;
    volume) shift && set -- volume -dir=/data -max=0 "$@" ;;
    server) shift && set -- server -dir=/data -volume.max=0 "$@" ;;
esac
if [ "$(id -u)" = 0 ]; then
    chown seaweed:seaweed /data
    exec setpriv --reuid=seaweed --regid=seaweed --clear-groups -- /usr/bin/weed "$@"
fi
exec /usr/bin/weed "$@"
