"""Which changes of a job are unsafe, and why, as a table. Pure.

A change is unsafe when it can touch what already runs, what other people see, or what cannot be
taken back by applying the previous revision. Everything else is safe: a run that is under way keeps
the revision it was asked for with.
"""

from __future__ import annotations

from collections.abc import Callable

from runyard.flow.differences import Json, Steps

_Test = Callable[[Json, Json], bool]


def _always(before: Json, after: Json) -> bool:
    return True


def _was_there(before: Json, after: Json) -> bool:
    return before is not None


def _left(before: Json, after: Json) -> bool:
    return bool(set(before or ()) - set(after or ()))


def _more(before: Json, after: Json) -> bool:
    """More runs at once than before; 0 means without a limit."""
    return bool(before != 0 and (after == 0 or after > before))


def _cancels(before: Json, after: Json) -> bool:
    return bool(after == "cancel_older")


def _takes_over(before: Json, after: Json) -> bool:
    return bool(after == "cancel_running")


def _allows(before: Json, after: Json) -> bool:
    return bool(after == "allow")


_TASK = ("template", "template")
# fmt: off
#: (field, when it is unsafe, why). A field stands for all that is in it.
RISKS: tuple[tuple[tuple[str, ...], _Test, str], ...] = (
    (("regions",),                  _left,      "the job leaves a region: runs that wait for it "
                                                "there cannot start"),
    (("placement",),                _always,    "each request then makes another number of runs"),
    (("concurrency", "limit"),      _more,      "runs of the job may then be out at the same time "
                                                "that could not before"),
    (("concurrency", "on_conflict"), _cancels,  "a new run then cancels the one that is under way"),
    (("triggers", "overlap"),       _takes_over, "an instant then cancels the run of the one "
                                                "before, which is under way"),
    (("triggers", "overlap"),       _allows,    "runs of it may then be out at the same time that "
                                                "could not before"),
    ((*_TASK, "serviceAccount"),    _always,    "the job becomes somebody else: what it may read "
                                                "and write changes"),
    ((*_TASK, "vpcAccess"),         _always,    "its traffic takes another way"),
    ((*_TASK, "encryptionKey"),     _always,    "it is sealed with another key"),
    ((*_TASK, "workloadIdentityConfig"), _always, "the job becomes somebody else"),
    ((*_TASK, "volumes"),           _was_there, "it no longer finds the data that it had there"),
)
# fmt: on
DELETED = "the job and its triggers go; its runs and what they cost stay readable"
REVERTED = "a change that somebody made in {region} is taken back"


def risk(steps: Steps, before: Json, after: Json) -> str:
    """Why the change of a field is unsafe; empty when it is safe."""
    fields = tuple(step for step in steps if isinstance(step, str))
    for field, test, why in RISKS:
        if fields[: len(field)] == field and test(before, after):
            return why
    return ""
