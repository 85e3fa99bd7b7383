# Writes the lock files: what Runyard runs on, what the runner runs on (a distribution of its own,
# with versions that fit the first), and what tests need besides.
# usage: lock.sh [--upgrade]
set -eu
compile() {
    CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -W ignore -m piptools compile --quiet \
        --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
        "$@"
}
compile "$@" --output-file requirements.lock pyproject.toml
compile "$@" --constraint requirements.lock --output-file runner/requirements.lock runner/pyproject.toml
compile "$@" --extra dev --constraint requirements.lock --constraint runner/requirements.lock \
    --output-file requirements-dev.lock pyproject.toml
# what the benchmark runs beside Runyard, in an environment of its own
CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -W ignore -m piptools compile --quiet --generate-hashes \
    --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --no-emit-options "$@" --output-file benchmarks/peers/requirements.lock \
    benchmarks/peers/requirements.in
