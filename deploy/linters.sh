# Makes the folder of the linters anew, from their lock.
# usage: linters.sh FOLDER LOCK        PYTHON=... chooses the interpreter
set -eu
folder=$1
lock=$2
echo "== installing $lock"
"${PYTHON:-python3}" -m venv --clear "$folder"
"$folder/bin/python" -m pip --disable-pip-version-check --quiet --no-input install \
    --require-hashes --no-deps --requirement "$lock"
