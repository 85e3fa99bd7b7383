#!/bin/sh
# Sends all requests to a revision that worked, and takes the candidate's own address away.
# usage: rollback.sh SERVICE REGION REVISION
set -eu
: "${3:?usage: rollback.sh SERVICE REGION REVISION}"
gcloud run services update-traffic "$1" --region="$2" --to-revisions="$3=100" --quiet
# A candidate that has no tag any more is nothing to fail for.
gcloud run services update-traffic "$1" --region="$2" --remove-tags=candidate --quiet || true
echo "rollback: $1 serves $3"
