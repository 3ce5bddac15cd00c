#!/usr/bin/env bash
# Tells Notifcenter that a Slurm job has started or ended. For slurm.conf:
#
#   PrologSlurmctld=/etc/slurm/notifcenter.sh
#   EpilogSlurmctld=/etc/slurm/notifcenter.sh
#
# It reads /etc/slurm/notifcenter.conf (or the file that NOTIFCENTER_CONF names), readable by Slurm's user only:
#
#   NOTIFCENTER_URL=https://notify.example.org
#   INGEST_TOKEN=…
#   SLURM_JOB_PAGE=https://slurm.example.org/job/     # optional; the job's number is put behind it
#
# It never fails and never waits long: Slurm would drain the node, or requeue the job. Posting twice tells once.
set -u
PATH=/usr/local/bin:/usr/bin:/bin # Slurm sets none

conf=${NOTIFCENTER_CONF:-/etc/slurm/notifcenter.conf}
# shellcheck source=/dev/null
[ -r "$conf" ] && . "$conf"
if [ -z "${NOTIFCENTER_URL:-}" ] || [ -z "${INGEST_TOKEN:-}" ] || [ -z "${SLURM_JOB_ID:-}" ]; then
    echo "notifcenter: NOTIFCENTER_URL, INGEST_TOKEN and SLURM_JOB_ID are needed" >&2
    exit 0
fi

# A JSON string: control characters become spaces, quotes and backslashes are escaped.
quoted() {
    local text=${1//[[:cntrl:]]/ }
    text=${text//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

restarts=${SLURM_JOB_RESTART_COUNT:-${SLURM_RESTART_COUNT:-0}} # each run of a requeued job ends once more
message=''
case ${SLURM_SCRIPT_CONTEXT:-} in
prolog*)
    event=running
    [ "$restarts" = 0 ] || event=retried
    ;;
*)
    # "code:signal"; a job that was cancelled ends by SIGTERM (15) or, if it clings to life, SIGKILL (9).
    status=${SLURM_JOB_EXIT_CODE2:-0:0}
    code=${status%%:*} signal=${status##*:}
    if [ "$status" = 0:0 ]; then
        event=succeeded
    elif [ "$signal" = 15 ] || [ "$signal" = 9 ]; then
        event=stopped message="ended by signal $signal"
    elif [ "$signal" != 0 ]; then
        event=failed message="ended by signal $signal"
    else
        event=failed message="exit code $code"
    fi
    ;;
esac

job="${SLURM_CLUSTER_NAME:-slurm}/${SLURM_JOB_ID} ${SLURM_JOB_NAME:-}"
body="{\"job\": $(quoted "${job:0:256}"), \"username\": $(quoted "${SLURM_JOB_USER:-}"), \"event\": \"$event\""
body+=", \"ordinal\": $restarts, \"message\": $(quoted "$message")"
[ -n "${SLURM_JOB_PAGE:-}" ] && body+=", \"url\": $(quoted "$SLURM_JOB_PAGE$SLURM_JOB_ID")"
body+="}"

# The token goes through standard input: whoever lists the processes must not see it.
printf 'header = "Authorization: Bearer %s"\n' "$INGEST_TOKEN" |
    curl --config - --silent --show-error --fail --output /dev/null --max-time 10 --retry 2 --retry-max-time 25 \
        --header 'Content-Type: application/json' --data "$body" "$NOTIFCENTER_URL/api/v1/ingest/events/" ||
    echo "notifcenter: job ${SLURM_JOB_ID}: $event could not be reported" >&2
exit 0
