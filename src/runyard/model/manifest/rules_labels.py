"""Labels and annotations, of the job and of its executions.

Labels: https://cloud.google.com/run/docs/configuring/jobs/labels and
https://cloud.google.com/resource-manager/docs/creating-managing-labels (64 labels; keys and
values of at most 63 lower-case letters, digits, hyphens and underscores, a key begins with a
letter). Annotations: Kubernetes (a prefix and a name; 256 KiB in all). Both: Cloud Run v2 rejects
keys in four name spaces of its own.
"""

from __future__ import annotations

import re

from runyard.model.asking import LABELS_MAX
from runyard.model.manifest.view import EXECUTION, Data, JobView, mapping
from runyard.model.validation import Path, one_of

ANNOTATIONS_BYTES_MAX = 256 * 1024
RESERVED = (
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
)
_LABEL_KEY = re.compile(r"[^\W\d_A-Z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_ANNOTATION_KEY = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)


def check(job: JobView) -> None:
    """See the module."""
    for data, path in ((job.data, ()), (job.execution, EXECUTION)):
        labels, annotations = mapping(data, "labels"), mapping(data, "annotations")
        _labels(job, labels, (*path, "labels"))
        _annotations(job, annotations, (*path, "annotations"))


def _labels(job: JobView, entries: Data, path: Path) -> None:
    if len(entries) > LABELS_MAX:
        job.fault(path, f"at most {LABELS_MAX} labels")
    for key, value in entries.items():
        if _is_reserved(job, (*path, key), key):
            continue
        if not _LABEL_KEY.fullmatch(key) or key != key.lower():
            expected = (
                "a label's key: at most 63 lower-case letters, digits, - and _, a letter first"
            )
            job.fault((*path, key), expected, _lower_hint(key), about_key=True)
        if isinstance(value, str) and (not _LABEL_VALUE.fullmatch(value) or value != value.lower()):
            expected = "a label's value: at most 63 lower-case letters, digits, - and _"
            job.fault((*path, key), expected, _lower_hint(value))


def _annotations(job: JobView, entries: Data, path: Path) -> None:
    size = 0
    for key, value in entries.items():
        size += len(key.encode()) + (len(value.encode()) if isinstance(value, str) else 0)
        if not _is_reserved(job, (*path, key), key) and not _ANNOTATION_KEY.fullmatch(key):
            expected = "an annotation's key: NAME or PREFIX/NAME, the name at most 63 characters"
            job.fault((*path, key), expected, about_key=True)
    if size > ANNOTATIONS_BYTES_MAX:
        job.fault(path, f"annotations of at most {ANNOTATIONS_BYTES_MAX} bytes in all")


def _is_reserved(job: JobView, path: Path, key: str) -> bool:
    space = key.partition("/")[0]
    if not any(space == name or space.endswith(f".{name}") for name in RESERVED):
        return False
    hint = "Cloud Run v2 has a field of its own for each of these"
    job.fault(path, f"a key outside {one_of(RESERVED)}", hint, about_key=True)
    return True


def _lower_hint(text: str) -> str:
    low = text.lower()
    return f"write '{low}'" if low != text and _LABEL_VALUE.fullmatch(low) else ""
