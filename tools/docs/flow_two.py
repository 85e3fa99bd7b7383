"""Flow 2 of the ten this platform was asked for, "Job Lifecycle Management", box by box: its boxes,
letters and arrows as they were drawn, and beside each box where it lives in our code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.docs.colours import Kind, classes
from tools.docs.markdown import code, table


@dataclass(frozen=True, slots=True)
class Box:
    """One box. `where` names things in the code; `how` is a sentence."""

    letter: str
    text: str
    kind: Kind
    where: tuple[str, ...]
    how: str


BOXES = (
    Box("A", "Job Creation Request", Kind.PROCESS,
        ("runyard.cli.apply:apply", "runyard.api.rest.jobs:apply"),
        "A manifest reaches the API: one file, several, or a folder."),
    Box("B", "Validate Configuration", Kind.QUESTION,
        ("runyard.model.manifest.loader:load", "runyard.model.manifest.rules:check_job"),
        "Against Cloud Run's own limits; `runyard validate` does the same without a server."),
    Box("C", "Create Job Template", Kind.PROCESS,
        ("runyard.gate.asking:Apply", "runyard.model.job:JobSpec"),
        "All jobs of all files in one transaction, each as a revision that never changes."),
    Box("D", "Return Validation Errors", Kind.ERROR,
        ("runyard.model.errors:InvalidSpec", "runyard.api.errors:error_document"),
        "Every fault at once, with file, line, column, value, and what was expected."),
    Box("E", "Configure Network Settings", Kind.PROCESS,
        ("runyard.model.cloudrun.network:VpcAccess", "runyard.model.manifest.rules_network:check"),
        "Cloud Run's network settings are part of the template. On this machine they are not kept, "
        "and the run says so."),
    Box("F", "Setup IAM Permissions", Kind.PROCESS,
        ("runyard.model.beside:NeedsSpec", "runyard.localcloud.spawner.server.places:User.become"),
        "The service account is part of the template; what the job needs stands beside it. On this "
        "machine tasks run as an unprivileged user."),
    Box("G", "Mount Secrets", Kind.PROCESS,
        ("runyard.localcloud.cloudrun.starting:Starter.secrets",
         "runyard.localcloud.spawner.server.start:prepare"),
        "Resolved at each start, as variables and as files in memory, redacted from the log."),
    Box("H", "Job Ready for Execution", Kind.PROCESS,
        ("runyard.gate.asking:plan_of", "runyard.model.plan:Plan"),
        "A job in force needs nothing more to be run."),
    Box("I", "Execution Trigger", Kind.QUESTION,
        ("runyard.model.run:TriggerKind", "runyard.flow.request:request"),
        "Whatever asks, a request becomes a run: row, history and effects in one transaction."),
    Box("J", "Cloud Scheduler", Kind.PROCESS,
        ("runyard.flow.schedule.firing:fire", "runyard.engine.schedule:ScheduleLoop"),
        "Schedules stand beside the job; each instant becomes one run or one recorded reason."),
    Box("K", "Pub/Sub Message", Kind.PROCESS,
        ("runyard.flow.eventing:take_event", "runyard.engine.events:EventLoop"),
        "A subscription for each trigger; each message becomes one run or one recorded reason."),
    Box("L", "API Call", Kind.PROCESS,
        ("runyard.api.rest.runs:create_runs", "runyard.gate.asking:Request"),
        "With overrides, priority and an idempotency key: the same key is the same run."),
    Box("M", "Execute Job", Kind.SUCCESS,
        ("runyard.model.effect:Launch", "runyard.engine.carrier:Carrier.carry",
         "runyard.localcloud.cloudrun.cloud:CloudRun.run_job"),
        "An attempt is decided first, then launched from the outbox; its tasks start in parallel."),
    Box("N", "Job Status", Kind.QUESTION,
        ("runyard.engine.watch:WatchLoop", "runyard.flow.recovery:judge"),
        "The provider reports an outcome; one pure function makes a verdict of it."),
    Box("O", "Monitor Progress", Kind.PROCESS,
        ("runyard.api.following:Follower.events", "runyard.engine.rescue:RescueLoop"),
        "Live states, counts and log lines; and a second look at everything that is out."),
    Box("P", "Log Success Metrics", Kind.SUCCESS,
        ("runyard.flow.recovery:Done", "runyard.telemetry.metrics:Metrics.observe",
         "runyard.flow.costing:charge"),
        "The end is in the history, the metrics and the ledger."),
    Box("Q", "Retry Logic", Kind.WARNING,
        ("runyard.flow.recovery:judge", "runyard.model.run:RunPolicy"),
        "A failed or lost attempt, by the job's own rules. A task's own retries have happened "
        "before, in place."),
    Box("R", "Handle Timeout", Kind.WARNING,
        ("runyard.model.outcome:Ending.TIMED_OUT",
         "runyard.localcloud.spawner.port:GRACE_SECONDS"),
        "SIGTERM, ten seconds, SIGKILL for the whole group. A timeout is retried only by a rule of "
        "its own, which allows none unless the job says more."),
    Box("S", "Retry Count < Max", Kind.QUESTION,
        ("runyard.model.run:RunPolicy.attempts_max",
         "runyard.model.run:RunPolicy.timeout_attempts_max"),
        "Counted over the whole life of the run; a restart changes nothing."),
    Box("T", "Exponential Backoff", Kind.WARNING,
        ("runyard.flow.backoff:delay_seconds", "runyard.engine.due:DueLoop"),
        "An instant in the row, not a sleeping program; with jitter, and within the deadline."),
    Box("U", "Mark as Failed", Kind.ERROR,
        ("runyard.flow.recovery:GiveUp", "runyard.model.run:State.DEAD"),
        "Dead, and final: nothing leaves this state."),
    Box("V", "Cleanup Resources", Kind.PROCESS,
        ("runyard.model.effect:Release", "runyard.localcloud.spawner.server.removal:remove"),
        "Folder, files in memory, control group, processes; the history says what was removed. "
        "Ours cleans up after a failure too."),
    Box("W", "Alert Operations", Kind.ERROR,
        ("runyard.model.effect:Alert", "runyard.channel.port:Notice"),
        "One alert for each dead run, in the transaction that made it dead."),
    Box("X", "Job Complete", Kind.SUCCESS,
        ("runyard.model.run:FINAL", "runyard.flow.explain:explain"),
        "Final is final. `runyard explain` tells how it came to it."),
)  # fmt: skip

#: (from, to, what the arrow says), as drawn.
ARROWS = (
    ("A", "B", ""), ("B", "C", "Valid"), ("B", "D", "Invalid"),
    ("C", "E", ""), ("E", "F", ""), ("F", "G", ""), ("G", "H", ""), ("H", "I", ""),
    ("I", "J", "Scheduled"), ("I", "K", "Event-Driven"), ("I", "L", "Manual"),
    ("J", "M", ""), ("K", "M", ""), ("L", "M", ""), ("M", "N", ""),
    ("N", "O", "Running"), ("N", "P", "Success"), ("N", "Q", "Failed"), ("N", "R", "Timeout"),
    ("O", "N", ""), ("Q", "S", ""), ("S", "T", "Yes"), ("S", "U", "No"), ("T", "M", ""),
    ("P", "V", ""), ("U", "W", ""), ("R", "W", ""), ("V", "X", ""), ("W", "X", ""),
)  # fmt: skip


def diagram(boxes: Sequence[Box] = BOXES, arrows: Sequence[tuple[str, str, str]] = ARROWS) -> str:
    """A flow as it was drawn, in the colours of this project."""
    lines = ["graph TD"]
    for box in boxes:
        opening, closing = ("{", "}") if box.kind is Kind.QUESTION else ("[", "]")
        lines.append(f'    {box.letter}{opening}"{box.text}"{closing}')
    for before, after, words in arrows:
        lines.append(f"    {before} -->{f'|{words}|' if words else ''} {after}")
    lines += classes(box.kind for box in boxes)
    for kind in Kind:
        letters = [box.letter for box in boxes if box.kind is kind]
        lines += [f"    class {','.join(letters)} {kind}"] if letters else []
    return "\n".join(lines)


def boxes_table(boxes: Sequence[Box] = BOXES) -> str:
    """Each box, where it lives, and how."""
    return table(
        ("box", "", "where", "how"),
        ((box.letter, box.text, "<br>".join(map(code, box.where)), box.how) for box in boxes),
    )
