#!/bin/sh
# Deploys an image to Cloud Run as a candidate that nobody is sent to, asks it whether it works,
# sends everybody to it, asks again, and goes back to the revision before when any of it fails.
# usage: deploy.sh IMAGE
#   SERVICE, REGION          which service, and where
#   PORT                     where the container listens (Cloud Run itself sets PORT from it)
#   ENDPOINTS                JSON: what the runner calls
#   SERVICE_ACCOUNT          whom the service runs as (never the default one: it may do too much)
#   RUNNER_SETTINGS          more settings as a JSON object; none of them a secret
#   RUNNER_SECRETS           NAME=secret:version,…  settings that come from Secret Manager
#   REQUEST_TIMEOUT_SECONDS  longest execution, below Scheduler's attempt deadline (default: 300)
# What smoke.sh reads is read too.
set -eu
image=${1:?usage: deploy.sh IMAGE}
REQUEST_TIMEOUT_SECONDS=${REQUEST_TIMEOUT_SECONDS:-300}
export ENDPOINTS REQUEST_TIMEOUT_SECONDS
: "${SERVICE:?}" "${REGION:?}" "${PORT:?}" "${ENDPOINTS:?}" "${SERVICE_ACCOUNT:?}"
here=$(dirname "$0")

settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
# JSON is YAML: whatever stands in a setting, it is one string and no syntax.
python3 - >"$settings" <<'PYTHON'
import json, os, sys

try:
    json.loads(os.environ["ENDPOINTS"])
    more = json.loads(os.environ.get("RUNNER_SETTINGS") or "{}")
    settings = {
        "ENDPOINTS": os.environ["ENDPOINTS"],
        # Executions end, and are answered, before Cloud Run cuts the request off.
        "TOTAL_DEADLINE_SECONDS": str(int(os.environ["REQUEST_TIMEOUT_SECONDS"]) - 10),
        **{name: str(value) for name, value in more.items()},
    }
except (AttributeError, TypeError, ValueError) as error:
    sys.exit(f"deploy: ENDPOINTS and RUNNER_SETTINGS must be JSON, the timeout a number: {error}")
if "PORT" in settings:
    sys.exit("deploy: Cloud Run sets PORT itself, from --port")
json.dump(settings, sys.stdout)
PYTHON

previous=$(sh "$here/serving.sh" "$SERVICE" "$REGION")
echo "deploy: serving now: ${previous:-nothing}"

# The first revision of a service cannot be kept from its traffic: nobody knows it yet.
gcloud run deploy "$SERVICE" --image="$image" --region="$REGION" --port="$PORT" \
    --no-allow-unauthenticated --service-account="$SERVICE_ACCOUNT" \
    --env-vars-file="$settings" ${RUNNER_SECRETS:+--set-secrets="$RUNNER_SECRETS"} \
    --timeout="$REQUEST_TIMEOUT_SECONDS" --cpu=1 --memory=512Mi --concurrency=80 \
    --min-instances=0 --max-instances=10 --cpu-boost --execution-environment=gen2 \
    ${previous:+--no-traffic --tag=candidate} --quiet

told=$(gcloud run services describe "$SERVICE" --region="$REGION" --format=json)
tell() {
    printf '%s' "$told" | python3 -c "
import json, sys

status = json.load(sys.stdin)['status']
tagged = [each['url'] for each in status['traffic'] if each.get('tag') == 'candidate']
print({'revision': status['latestCreatedRevisionName'], 'url': status['url'],
       'candidate': (tagged or [status['url']])[0]}['$1'])
"
}
revision=$(tell revision) url=$(tell url) candidate=$(tell candidate)

back() {
    echo "deploy: $revision does not work" >&2
    if [ -n "$previous" ]; then
        sh "$here/rollback.sh" "$SERVICE" "$REGION" "$previous" >&2
    else
        echo "deploy: there is no revision before it to go back to" >&2
    fi
    exit 1
}

sh "$here/smoke.sh" "$candidate" "$url" || back
gcloud run services update-traffic "$SERVICE" --region="$REGION" --to-revisions="$revision=100" \
    --quiet || back
sh "$here/smoke.sh" "$url" || back
[ -z "$previous" ] || gcloud run services update-traffic "$SERVICE" --region="$REGION" \
    --remove-tags=candidate --quiet
echo "deploy: $SERVICE serves $revision at $url"
