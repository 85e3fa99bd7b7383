#!/bin/sh
# Builds the runner's image on this machine with buildah, on a base made here: `make image`.
# usage: build-here.sh [IMAGE [BASE]]
set -eu
image=${1:-localhost/runyard-runner}
base=${2:-localhost/runyard-base}
cd "$(dirname "$0")/../.."
[ "$base" != localhost/runyard-base ] || sh deploy/runner/local-base.sh "$base"

# What pip is told on this machine (a mirror, a certificate, a folder), it is told in the build too.
settings=$(python3 -m pip config debug | sed -n "s/^ *\(\/.*\), exists: True$/\1/p")
paths=$(python3 -m pip config list | grep -oE "/[^' ]+" | grep -v '^//' || true)
set --
for path in /etc/ssl/certs $settings $paths; do
    [ ! -e "$path" ] || set -- "$@" --volume "$path:$path:ro"
done
exec buildah --runtime runc build --layers --pull=never --network=host --format docker --timestamp 0 "$@" \
    --build-arg BASE_IMAGE="$base" --build-arg REVISION="$(git rev-parse HEAD)" \
    --file deploy/runner/Dockerfile --ignorefile deploy/runner/Dockerfile.dockerignore \
    --tag "$image" .
