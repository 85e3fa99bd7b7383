# Runs a command as a named phase: its name, its output, how long it took, its exit status.
# usage: phase.sh NAME COMMAND [ARGUMENT...]
name=$1
shift
printf '\n== %s\n' "$name"
began=$(date +%s)
"$@"
status=$?
seconds=$(($(date +%s) - began))
if [ "$status" -eq 0 ]; then
    printf '== %s: held, %d s\n' "$name" "$seconds"
else
    printf '== %s: FAILED with exit status %d after %d s\n' "$name" "$status" "$seconds" >&2
fi
exit "$status"
