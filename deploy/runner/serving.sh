#!/bin/sh
# Prints the revision that all requests go to now; nothing when there is no service yet.
# usage: serving.sh SERVICE REGION
set -eu
: "${2:?usage: serving.sh SERVICE REGION}"
gcloud run services list --region="$2" --filter="metadata.name=$1" --format=json |
    python3 -c '
import json, sys

services = json.load(sys.stdin)
traffic = services[0].get("status", {}).get("traffic", []) if services else []
serving = [each for each in traffic if each.get("percent")]
if len(serving) > 1:
    sys.exit("traffic goes to several revisions: settle on one before you deploy")
print(serving[0]["revisionName"] if serving else "")
'
