# Writes the lock files: what Runyard runs on, what the runner runs on (a distribution of its own,
# with versions that fit the first), what checks the delivery files, what the reference of the
# runner's benchmark runs on, and what tests need besides.
# usage: lock.sh [--upgrade]
set -eu
build="--build-deps-for editable"
compile() {
    CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -W ignore -m piptools compile --quiet \
        --generate-hashes --strip-extras --allow-unsafe \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
        "$@"
}
compile "$@" $build --output-file requirements.lock pyproject.toml
compile "$@" $build --constraint requirements.lock --output-file runner/requirements.lock runner/pyproject.toml
compile "$@" --output-file deploy/linters.lock deploy/linters.in
compile "$@" --output-file benchmarks/reference/requirements.lock benchmarks/reference/requirements.in
compile "$@" $build --extra dev --constraint requirements.lock --constraint runner/requirements.lock \
    --output-file requirements-dev.lock pyproject.toml
# what the benchmark runs beside Runyard, in an environment of its own
CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -W ignore -m piptools compile --quiet --generate-hashes \
    --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --no-emit-options "$@" --output-file benchmarks/peers/requirements.lock \
    benchmarks/peers/requirements.in
