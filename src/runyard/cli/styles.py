"""How a word looks on a terminal; the colours of the diagrams: success green, error red,
process blue."""

STYLES = {
    "succeeded": "green",
    "dead": "red",
    "failed": "red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "stopping": "yellow",
    "running": "blue",
    "launching": "blue",
    "backing_off": "magenta",
    "awaiting_network": "magenta",
    "awaiting_capacity": "magenta",
    "awaiting_permission": "yellow",
    "awaiting_fix": "yellow",
    "queued": "cyan",
    "complete": "green",
    "undone": "yellow",
    "stuck": "red",
    "undoing": "magenta",
    "waiting": "cyan",
    "done": "green",
    "ok": "green",
    "warn": "yellow",
    "fail": "red",
}
#: One for each task index, in turn.
TASK_STYLES = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta")
