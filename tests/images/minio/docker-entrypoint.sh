#!/bin/sh
# As in the official image, `minio` itself may be left out.
[ "${1:-}" = minio ] || set -- minio "$@"
exec "$@"
