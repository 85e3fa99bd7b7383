"""What a run may be asked for with: the texts of its arguments, variables and labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from runyard.model.cloudrun.words import EnvName
from runyard.model.forms import Shaped, unexpected

ARGUMENT_BYTES_MAX = 128 * 1024  #: MAX_ARG_STRLEN of Linux, execve(2)
VARIABLES_MAX = 1000  #: of a container (configuring/jobs/environment-variables)
VALUE_BYTES_MAX = 32768  #: of a variable (the API's description of EnvVar)
LABELS_MAX = 64  #: of a resource (resource-manager/docs/creating-managing-labels)
#: Names that Cloud Run sets itself (its container contract).
RESERVED = frozenset(
    {
        "CLOUD_RUN_JOB", "CLOUD_RUN_EXECUTION", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_ATTEMPT",
        "CLOUD_RUN_TASK_COUNT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "PORT",
    }
)  # fmt: skip
RESERVED_PREFIX = "X_GOOGLE_"


def _free_name(name: str) -> str:
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise unexpected("a name that Cloud Run does not set itself", "choose another name")
    return name


def _small_value(value: str) -> str:
    if "\0" in value or len(value.encode()) > VALUE_BYTES_MAX:
        raise unexpected(f"a text of at most {VALUE_BYTES_MAX} bytes, without NUL")
    return value


def _argument(value: str) -> str:
    if "\0" in value or len(value.encode()) >= ARGUMENT_BYTES_MAX:
        raise unexpected(f"a text of fewer than {ARGUMENT_BYTES_MAX} bytes, without NUL")
    return value


def _few_variables(env: dict[str, str]) -> dict[str, str]:
    if len(env) > VARIABLES_MAX:
        raise unexpected(f"at most {VARIABLES_MAX} variables")
    return env


def _few_labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > LABELS_MAX:
        raise unexpected(f"at most {LABELS_MAX} labels")
    return labels


Argument = Annotated[str, AfterValidator(_argument)]
VariableName = Annotated[EnvName, AfterValidator(_free_name)]
VariableValue = Annotated[str, AfterValidator(_small_value)]
Variables = Annotated[dict[VariableName, VariableValue], AfterValidator(_few_variables)]
LabelKey = Annotated[
    str,
    Shaped(
        r"[a-z][a-z0-9_-]{0,62}",
        "a label's key: at most 63 lower-case letters, digits, - and _, a letter first",
        63,
    ),
]
LabelValue = Annotated[
    str,
    Shaped(
        r"[a-z0-9_-]{0,63}",
        "a label's value: at most 63 lower-case letters, digits, - and _",
        63,
    ),
]
Labels = Annotated[dict[LabelKey, LabelValue], AfterValidator(_few_labels)]
