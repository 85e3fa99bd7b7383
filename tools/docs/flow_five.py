"""Flow 5 of the ten this platform was asked for, "Job Management Operations", box by box: its
boxes, letters, groups and arrows as they were drawn, and beside each where it lives in our code."""

from __future__ import annotations

from tools.docs.colours import Kind, classes
from tools.docs.flow_two import Box
from tools.docs.markdown import code, table

BOXES = (
    Box("A", "Management Request", Kind.PROCESS,
        ("runyard.api.rest.jobs:jobs", "runyard.api.rest.job_changes:job_changes"),
        "By HTTP or the command line, which does the same; each needs a permission."),
    Box("B", "Operation Type", Kind.QUESTION,
        ("runyard.model.operation:OperationKind",),
        "Apply (create and update), roll back, delete, undelete; a list changes nothing."),
    Box("C", "Query Jobs API", Kind.PROCESS,
        ("runyard.api.rest.jobs:list_jobs",),
        "Also by the command line: `runyard jobs`."),
    Box("G", "Apply Filters", Kind.PROCESS,
        ("runyard.model.filters:parse", "runyard.store.job_list:JobQuestion"),
        "One language for jobs and runs; an error points at its column."),
    Box("H", "Sort Results", Kind.PROCESS,
        ("runyard.store.job_list:SORTS",),
        "By any of a list of fields, up or down; ties by name."),
    Box("I", "Paginate Response", Kind.PROCESS,
        ("runyard.api.cursors:token",),
        "A page goes on after the last row, so none is lost or doubled."),
    Box("J", "Return Job List", Kind.PROCESS,
        ("runyard.api.shapes:JobPageShape",),
        "Each job with its conditions, and who is changing it."),
    Box("D", "Validate Configuration", Kind.PROCESS,
        ("runyard.model.manifest.loader:load", "runyard.flow.standing:VALIDATED"),
        "Everything that is wrong is found before anything is begun."),
    Box("K", "Valid Config", Kind.QUESTION,
        ("runyard.gate.reserving:Undertake",),
        "Then all jobs are reserved in one transaction, or none is."),
    Box("L", "Provision Resources", Kind.PROCESS,
        ("runyard.flow.undertaking:draft", "runyard.engine.steps:Steps"),
        "An operation: steps in order, each told before the next begins."),
    Box("N", "Setup Networking", Kind.PROCESS,
        ("runyard.model.operation:StepKind.NETWORK", "runyard.provider.port_jobs:Deployer.network"),
        "The template's network against what the provider keeps; the condition says it."),
    Box("O", "Configure Security", Kind.PROCESS,
        ("runyard.model.operation:StepKind.IDENTITY", "runyard.model.operation:StepKind.SECRETS",
         "runyard.provider.port_access:Access"),
        "Its service account, what that may do, and the secrets that it may read."),
    Box("P", "Job Created", Kind.SUCCESS,
        ("runyard.model.operation:StepKind.DEPLOY", "runyard.model.operation:StepKind.PROVE",
         "runyard.flow.standing:standing"),
        "Deployed in each region, read back, ready: then it is in force, and not before."),
    Box("M", "Return Errors", Kind.ERROR,
        ("runyard.model.errors:InvalidSpec", "runyard.flow.operation:decide"),
        "All faults at once; what was made is undone, and nothing is left behind."),
    Box("E", "Check Dependencies", Kind.PROCESS,
        ("runyard.api.changes:look", "runyard.flow.planning:plan"),
        "What is in force, what is live and what is asked for, side by side."),
    Box("Q", "Safe to Update", Kind.QUESTION,
        ("runyard.flow.risks:RISKS",),
        "A table says which changes are unsafe, and why."),
    Box("R", "Apply Changes", Kind.PROCESS,
        ("runyard.engine.doing:Doing.do", "runyard.provider.port_jobs:DeployOrder"),
        "With the etag that was looked at and a fence: nobody's change is overwritten unseen, and "
        "a late engine undoes nothing."),
    Box("S", "Require Confirmation", Kind.PROCESS,
        ("runyard.model.operation:OperationState.WAITING",),
        "A row at rest that names what will be affected; approvals of others wait there too."),
    Box("T", "Validate Update", Kind.PROCESS,
        ("runyard.flow.deployment:unlike", "runyard.model.deployed:DeployedJob.is_ready"),
        "Read back in every region: ready, its generation observed, as it was asked for. Else the "
        "revision before is restored, and the error says the difference."),
    Box("U", "User Confirms", Kind.PROCESS,
        ("runyard.api.rest.operations:approve_operation", "runyard.model.operation:Confirmed"),
        "`--yes`, an answer to a question, a plan's token, or `runyard operations approve`."),
    Box("V", "Update Complete", Kind.SUCCESS,
        ("runyard.model.operation:OperationState.COMPLETE",),
        "A new revision in force; runs that are under way go on by the old one."),
    Box("F", "Safety Checks", Kind.PROCESS,
        ("runyard.api.rest.job_changes:delete_job",),
        "Who may, in this environment, and is it frozen."),
    Box("W", "Check Running Jobs", Kind.PROCESS,
        ("runyard.gate.reserving:Undertake", "runyard.model.operation:StepKind.RUNS"),
        "In the transaction that reserves the job. `--force --reason` stops them first."),
    Box("X", "Validate Dependencies", Kind.PROCESS,
        ("runyard.flow.dependants:Finder",),
        "An open list of finders: who keeps triggers, chains or alerts adds its own."),
    Box("Y", "Safe to Delete", Kind.QUESTION,
        ("runyard.flow.dependants:check_dependants",),
        "Nothing active, nothing that would miss it."),
    Box("Z", "Cleanup Resources", Kind.PROCESS,
        ("runyard.model.operation:StepKind.REMOVE", "runyard.provider.port_jobs:Deployer.remove"),
        "Its resources in all regions; the operation lists each thing removed."),
    Box("AA", "Block Deletion", Kind.ERROR,
        ("runyard.model.errors:Refused",),
        "Refused, and it says which runs and what depends on it."),
    Box("BB", "Remove IAM Bindings", Kind.PROCESS,
        ("runyard.model.operation:StepKind.UNBIND",),
        "What its account was given for its sake, but for what others need."),
    Box("CC", "Delete Secrets", Kind.PROCESS,
        ("runyard.model.operation:StepKind.RETIRE",),
        "Those that it owned are disabled, so that it can be had back."),
    Box("DD", "Deletion Complete", Kind.SUCCESS,
        ("runyard.store.deleted_jobs:DeletedJob", "runyard.gate.operating:Purge"),
        "It can be had back for a while; then it is purged."),
)  # fmt: skip

#: (name, the letters in it), as drawn; the first two boxes stand in none.
GROUPS = (
    ("List Operations", ("C", "G", "H", "I", "J")),
    ("Create Operations", ("D", "K", "L", "N", "O", "P", "M")),
    ("Update Operations", ("E", "Q", "R", "S", "T", "U", "V")),
    ("Delete Operations", ("F", "W", "X", "Y", "Z", "AA", "BB", "CC", "DD")),
)

#: (from, to, what the arrow says), as drawn.
ARROWS = (
    ("A", "B", ""), ("B", "C", "List"), ("B", "D", "Create"), ("B", "E", "Update"),
    ("B", "F", "Delete"), ("C", "G", ""), ("G", "H", ""), ("H", "I", ""), ("I", "J", ""),
    ("D", "K", ""), ("K", "L", "Yes"), ("K", "M", "No"), ("L", "N", ""), ("N", "O", ""),
    ("O", "P", ""), ("E", "Q", ""), ("Q", "R", "Yes"), ("Q", "S", "No"), ("R", "T", ""),
    ("S", "U", ""), ("U", "R", ""), ("T", "V", ""), ("F", "W", ""), ("W", "X", ""), ("X", "Y", ""),
    ("Y", "Z", "Yes"), ("Y", "AA", "No"), ("Z", "BB", ""), ("BB", "CC", ""), ("CC", "DD", ""),
)  # fmt: skip


def flow_diagram() -> str:
    """The flow as it was drawn, in the colours of this project."""
    by_letter = {box.letter: box for box in BOXES}
    lines = ["graph TD", *(_box(by_letter[letter], "    ") for letter in ("A", "B"))]
    for name, letters in GROUPS:
        lines.append(f'    subgraph "{name}"')
        lines += [_box(by_letter[letter], "        ") for letter in letters]
        lines.append("    end")
    for before, after, words in ARROWS:
        lines.append(f"    {before} -->{f'|{words}|' if words else ''} {after}")
    lines += classes(box.kind for box in BOXES)
    for kind in Kind:
        alike = [box.letter for box in BOXES if box.kind is kind]
        lines += [f"    class {','.join(alike)} {kind}"] if alike else []
    return "\n".join(lines)


def _box(box: Box, indent: str) -> str:
    opening, closing = ("{", "}") if box.kind is Kind.QUESTION else ("[", "]")
    return f'{indent}{box.letter}{opening}"{box.text}"{closing}'


def boxes_table() -> str:
    """Each box, where it lives, and how."""
    return table(
        ("box", "", "where", "how"),
        ((box.letter, box.text, "<br>".join(map(code, box.where)), box.how) for box in BOXES),
    )
