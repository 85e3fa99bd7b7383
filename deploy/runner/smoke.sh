#!/bin/sh
# Asks a deployed runner whether it works; exits 1 when it does not. It calls no endpoint.
# usage: smoke.sh URL [AUDIENCE]
#   The identity token comes from gcloud, for AUDIENCE (default: URL). It and API_KEY, if set, go to
#   curl by its standard input: no argument, no log and no file has them.
#   SMOKE_SERVICE_ACCOUNT  whose token, where gcloud is not a service account itself
#   SMOKE_TRIES            how often to ask for the first answer, a second apart (default: 10)
#   SMOKE_IAM=off          a runner that no IAM guards: no token is asked for
set -eu
url=${1:?usage: smoke.sh URL [AUDIENCE]}
url=${url%/}
audience=${2:-$url}

token=
if [ "${SMOKE_IAM:-on}" != off ]; then
    token=$(gcloud auth print-identity-token --audiences="$audience" \
        ${SMOKE_SERVICE_ACCOUNT:+--impersonate-service-account="$SMOKE_SERVICE_ACCOUNT" --include-email})
fi

# call STATUS WHAT METHOD PATH [curl's arguments]: fails when the status is another.
call() {
    expected=$1 what=$2 method=$3 path=$4
    shift 4
    status=$(
        {
            [ -z "$token" ] || printf 'header = "Authorization: Bearer %s"\n' "$token"
            [ -z "${API_KEY:-}" ] || printf 'header = "X-API-Key: %s"\n' "$API_KEY"
        } | curl --silent --show-error --max-time 30 --config - --request "$method" \
            --header 'Accept: application/json' --output /dev/null --write-out '%{http_code}' \
            "$@" "$url$path"
    ) || return 1
    # shellcheck disable=SC2254  # it is a pattern
    case $status in
        $expected) ;;
        *)
            echo "smoke: $what: $method $path answered $status, expected $expected" >&2
            return 1
            ;;
    esac
}

tries=${SMOKE_TRIES:-10}
while ! call 200 "the service is up" GET /health; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || exit 1
    sleep 1
done

call 200 "it tells what it would call" GET /
# An order that is none: whoever may execute is told so (400), whoever may not is turned away.
call 400 "it reads orders" POST /execute --data '{"endpoints": "none"}'

# Whoever has neither token nor key is turned away, by IAM or by the runner itself.
token=
API_KEY=
call '40[13]' "a stranger may not execute" POST /execute --data '{"endpoints": "none"}'
echo "smoke: $url works"
