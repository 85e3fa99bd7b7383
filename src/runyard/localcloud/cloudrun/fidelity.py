"""What of an execution is not as it would be on Google Cloud, in sentences. Pure.

What an executor never keeps (an image, a network) is said by `model.executors`; here stands what
depends on this machine and on how commands are run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from runyard.localcloud.cloudrun.blueprint import RESERVED_ENV, Blueprint
from runyard.localcloud.cloudrun.resources import Region
from runyard.localcloud.spawner.port import Abilities
from runyard.model.quantities import MIB

_REFERENCE = re.compile(r"\$(?:\((\w+)\)|\{(\w+)\}|(\w+))")
#: Programs that expand such references themselves.
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "fish", "busybox"})


def differences(
    plan: Blueprint, region: Region, abilities: Abilities, has_folder: Callable[[str], bool]
) -> Iterator[str]:
    """Every difference that this machine, this region and this way to run commands make."""
    yield from _unexpanded(plan)
    if plan.working_folder and not has_folder(plan.working_folder):
        yield (
            f"workingDir {plan.working_folder} is not a folder of this machine: each task starts in"
            " an empty one of its own"
        )
    if plan.vcpu_milli > region.vcpu_milli or plan.memory_bytes > region.memory_bytes:
        yield (
            f"a task asks for {plan.vcpu_milli / 1000:g} vCPU and {plan.memory_bytes // MIB} MiB;"
            f" region {region.name} has {region.vcpu_milli / 1000:g} vCPU and"
            f" {region.memory_bytes // MIB} MiB here, so each task runs alone in it"
        )
    if not abilities.memory_enforced_by:
        why = f" ({abilities.cgroup_reason})" if abilities.cgroup_reason else ""
        yield f"the memory limit of {plan.memory_bytes // MIB} MiB is not enforced here{why}"


def _unexpanded(plan: Blueprint) -> Iterator[str]:
    """Cloud Run v2 runs no shell and expands no `$(VAR)`: neither do we, but it is worth a word."""
    if posixpath.basename(plan.argv[0]) in _SHELLS:
        return
    known = {name for name, _ in (*plan.env, *plan.secret_env)} | RESERVED_ENV
    for argument in plan.argv[1:]:
        for match in _REFERENCE.finditer(argument):
            if (match[1] or match[2] or match[3]) in known:
                yield (
                    f"{match[0]} in an argument is passed on as it stands: Cloud Run runs no shell"
                    " and expands nothing; read the variable in the program, or run it by"
                    ' command: [sh, -c, "..."]'
                )
