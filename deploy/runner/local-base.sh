#!/bin/sh
# Makes a base image on this machine, for where no registry can be reached: Debian with Python and
# pip, by debootstrap, as `localhost/runyard-base`. Needs root, debootstrap and buildah.
set -eu
name=${1:-localhost/runyard-base}
if buildah inspect --type image "$name" >/dev/null 2>&1; then
    echo "$name is there"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase \
    --include=python3,python3-pip,python-is-python3,ca-certificates bookworm "$folder/tree" >/dev/null
rm -rf "$folder"/tree/var/cache/apt/* "$folder"/tree/var/lib/apt/lists/*
container=$(buildah from scratch)
buildah copy --quiet "$container" "$folder/tree" / >/dev/null
buildah config --label runyard=base "$container"
buildah commit --quiet --rm "$container" "$name"
