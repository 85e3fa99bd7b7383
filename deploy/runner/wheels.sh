#!/bin/sh
# Proves that Alpine needs no compiler: every dependency of the runner, as it is locked, has a wheel
# for musl. Downloads them into FOLDER (default: a temporary one).
# usage: wheels.sh [FOLDER]        PYTHON=... has pip; PYTHON_VERSION, PLATFORM say for what
set -eu
lock=$(dirname "$0")/../../runner/requirements.lock
version=${PYTHON_VERSION:-3.11}
folder=${1:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
"${PYTHON:-python3}" -m pip --disable-pip-version-check download --quiet --no-deps --require-hashes \
    --only-binary=:all: --implementation cp --python-version "$version" \
    --abi "cp$(echo "$version" | tr -d .)" --abi abi3 --abi none \
    --platform "${PLATFORM:-musllinux_1_2_x86_64}" --platform musllinux_1_1_x86_64 \
    --requirement "$lock" --dest "$folder"
ls "$folder"
