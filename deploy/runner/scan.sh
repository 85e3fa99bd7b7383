#!/bin/sh
# Scans an image once with Trivy and keeps what it found as JSON, SARIF and table. Exits 1 when
# something of high or critical severity has a fix: what nobody can mend holds up no one.
# usage: scan.sh IMAGE.tar FOLDER        TRIVY=... names the program (default: that of `make linters`);
#        it reads its own settings (TRIVY_DB_REPOSITORY, …)
set -eu
image=${1:?usage: scan.sh IMAGE.tar FOLDER}
folder=${2:?usage: scan.sh IMAGE.tar FOLDER}
trivy=${TRIVY:-$(dirname "$0")/../../.venv/linters/bin/trivy}

# Without a database of vulnerabilities this fails: it never says that there are none.
"$trivy" image --input "$image" --scanners vuln,secret --format json --output "$folder/trivy.json" \
    --quiet
"$trivy" convert --format sarif --output "$folder/trivy.sarif" "$folder/trivy.json"
"$trivy" convert --format table --output "$folder/trivy.txt" "$folder/trivy.json"
cat "$folder/trivy.txt"

python3 - "$folder/trivy.json" <<'PYTHON'
import json, sys

with open(sys.argv[1]) as file:
    results = json.load(file).get("Results") or []
bad = [
    f"{found['VulnerabilityID']} in {found['PkgName']} {found['InstalledVersion']}, "
    f"mended in {found['FixedVersion']}"
    for result in results
    for found in result.get("Vulnerabilities") or []
    if found.get("Severity") in ("HIGH", "CRITICAL") and found.get("FixedVersion")
]
bad += [
    f"a secret in {result['Target']}: {found['Title']}"
    for result in results
    for found in result.get("Secrets") or []
]
for line in bad:
    print(f"scan: {line}", file=sys.stderr)
sys.exit(1 if bad else 0)
PYTHON
