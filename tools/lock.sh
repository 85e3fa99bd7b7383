# Writes both lock files: what Runyard runs on, and what its tests need besides.
# usage: lock.sh [--upgrade]
set -eu
compile() {
    CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -W ignore -m piptools compile --quiet \
        --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
        "$@" pyproject.toml
}
compile "$@" --output-file requirements.lock
compile "$@" --extra dev --constraint requirements.lock --output-file requirements-dev.lock
