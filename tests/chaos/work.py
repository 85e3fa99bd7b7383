"""The jobs that run while things are killed, and the evidence that they leave.

A task notes its start and its end in files of its own, and takes a lock that belongs to its run:
two attempts of one run, or two of one task, at the same time cannot both have it. A task that is
killed leaves its start without an end; its lock goes with it. Tasks of the job that may run once
at a time take one more lock, which belongs to the job.
"""

from __future__ import annotations

import json
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SCRIPT = r"""
name=$CLOUD_RUN_EXECUTION-task$CLOUD_RUN_TASK_INDEX.$CLOUD_RUN_TASK_ATTEMPT
exec 9>"$EVIDENCE/locks/$RUN_KEY.$CLOUD_RUN_TASK_INDEX"
flock -n 9 || echo "$name" >> "$EVIDENCE/overlaps"
mkdir "$EVIDENCE/starts/$name" || echo "$name" >> "$EVIDENCE/doubled"
case $KIND in
  single) exec 8>"$EVIDENCE/locks/single"; flock -n 8 || echo "$name" >> "$EVIDENCE/crowds" ;;
esac
sleep 0.$((CLOUD_RUN_TASK_INDEX * 2 + 2))
case $KIND in
  flaky) test -e "$EVIDENCE/tried/$RUN_KEY" || { : > "$EVIDENCE/tried/$RUN_KEY"; exit 3; } ;;
  slow) sleep 60 & wait ;;
esac
: > "$EVIDENCE/ends/$name"
echo "done $name"
"""
KINDS = {
    "plain": {"taskCount": 1, "maxRetries": 0, "timeout": "30s"},
    "flaky": {"taskCount": 1, "maxRetries": 0, "timeout": "30s"},
    "sharded": {"taskCount": 3, "maxRetries": 2, "timeout": "30s"},
    "slow": {"taskCount": 1, "maxRetries": 0, "timeout": "1s"},
    "single": {"taskCount": 1, "maxRetries": 1, "timeout": "30s"},
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The folder that tasks write into, and what it says."""

    folder: Path

    def prepare(self) -> None:
        """Make it, open to the tasks' user."""
        for name in ("", "starts", "ends", "locks", "tried"):
            path = self.folder / name
            path.mkdir(exist_ok=True)
            path.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)

    def starts(self) -> int:
        """How many task attempts have begun."""
        return len(list((self.folder / "starts").iterdir()))

    def overlaps(self) -> list[str]:
        """Task attempts that began while another of the same run and task was alive, or another
        of the job that may run once at a time."""
        return self._lines("overlaps") + self._lines("crowds")

    def doubled(self) -> list[str]:
        """Task attempts that began twice."""
        return self._lines("doubled")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def ended_executions(self) -> Counter[str]:
        """By execution, how many tasks came to their end."""
        paths = (self.folder / "ends").iterdir()
        return Counter(path.name.rpartition("-task")[0] for path in paths)


def manifest(evidence: Evidence) -> str:
    """The jobs, as a manifest."""
    return json.dumps({"project": "chaos", "jobs": {kind: _job(kind, evidence) for kind in KINDS}})


def _job(kind: str, evidence: Evidence) -> dict[str, object]:
    facts = KINDS[kind]
    job: dict[str, object] = {
        "retry": {
            "attempts": 30,  # losing an attempt costs one; no run may die of our kills
            "backoff": {"initial": "0.2s", "max": "1s"},
        },
        "template": {
            "taskCount": facts["taskCount"],
            "template": {
                "maxRetries": facts["maxRetries"],
                "timeout": facts["timeout"],
                "serviceAccount": "chaos-tasks",
                "containers": [
                    {
                        "image": "busybox",
                        "command": ["sh", "-c", SCRIPT],
                        "env": [
                            {"name": "EVIDENCE", "value": str(evidence.folder)},
                            {"name": "KIND", "value": kind},
                        ],
                    }
                ],
            },
        },
    }
    if kind == "single":
        job["concurrency"] = {"limit": 1}
    return job
