#!/bin/sh
# As in the official image, the command may begin without `minio`.
[ "${1:-}" = minio ] || set -- minio "$@"
exec "$@"
