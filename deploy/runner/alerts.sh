#!/bin/sh
# Creates the alert policies of alerts.yaml, or updates those that are there under the same name.
# usage: alerts.sh SERVICE JOB REGION [CHANNEL...]     CHANNEL: projects/P/notificationChannels/N
set -eu
service=${1:?usage: alerts.sh SERVICE JOB REGION [CHANNEL...]}
job=${2:?usage: alerts.sh SERVICE JOB REGION [CHANNEL...]}
region=${3:?usage: alerts.sh SERVICE JOB REGION [CHANNEL...]}
shift 3
channels=$(IFS=,; echo "$*")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -e "s/SERVICE/$service/g" -e "s/JOB/$job/g" -e "s/REGION/$region/g" "$(dirname "$0")/alerts.yaml" |
    awk -v folder="$folder" '/^---$/ { number++; next } number { print > (folder "/" number ".yaml") }'

for policy in "$folder"/*.yaml; do
    name=$(sed -n 's/^displayName: "\(.*\)"$/\1/p' "$policy")
    there=$(gcloud alpha monitoring policies list --filter="displayName=\"$name\"" --format='value(name)')
    if [ -n "$there" ]; then
        gcloud alpha monitoring policies update "$there" --policy-from-file="$policy" \
            ${channels:+--set-notification-channels="$channels"} --quiet
    else
        gcloud alpha monitoring policies create --policy-from-file="$policy" \
            ${channels:+--notification-channels="$channels"} --quiet
    fi
done
