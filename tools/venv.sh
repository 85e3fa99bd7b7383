# Makes the virtual environment if there is none, and installs into it: a lock file, the runner's
# lock file, Runyard, and the runner.
# usage: venv.sh FOLDER LOCK        PYTHON=... chooses the interpreter
set -eu
folder=$1
lock=$2

usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
        if usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

if ! [ -x "$folder/bin/python" ] || ! "$folder/bin/python" -c 'import pip' >/dev/null 2>&1; then
    python=$(find_python)
    if [ -z "$python" ]; then
        echo "Runyard needs Python 3.11 or later, and there is none on the PATH." >&2
        echo "Install it (Debian and Ubuntu: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3" >&2
        exit 69
    fi
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$python has no venv module. Debian and Ubuntu: apt-get install python$version-venv" >&2
        exit 69
    fi
    echo "== making $folder with $("$python" --version)"
    "$python" -m venv --clear "$folder"
fi

pip() {
    "$folder/bin/python" -m pip --disable-pip-version-check --quiet --no-input install "$@"
}

echo "== installing $lock"
began=$(date +%s)
pip --require-hashes --no-deps --requirement "$lock" --requirement runner/requirements.lock
pip --no-deps --no-build-isolation --editable . --editable runner
echo "== installed, $(($(date +%s) - began)) s"
