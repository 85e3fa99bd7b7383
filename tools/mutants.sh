# Changes one little thing after the other in a copy of the code, and shows what no test noticed.
# usage: mutants.sh PYTHON [NAME...]        a name may have stars: "runyard.gate.*"
set -eu
python=$1
shift
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard |
    tar --null --files-from - --create --file - | tar --extract --file - --directory "$copy"
python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
cd "$copy"
# a clock far from UTC: what reads the machine's own zone is noticed
TZ=Asia/Kathmandu nice "$python" -m tools.mutants "$@" >run.log 2>&1 || {
    tail -n 40 run.log >&2
    exit 1
}
tr '\r' '\n' <run.log | grep -E '^. [0-9]+/' | tail -n 1
"$python" -m mutmut results | sed -n "s/^ *\(.*\): \(survived\|no tests\)$/\1/p" | while read -r name; do
    "$python" -m mutmut show "$name" | grep -E '^# |^[-+] '
done
