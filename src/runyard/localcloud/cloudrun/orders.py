"""From an execution to what the spawner is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.localcloud.cloudrun.blueprint import INPUT, Blueprint, SecretRef
from runyard.localcloud.cloudrun.names import attempt_name
from runyard.localcloud.cloudrun.resources import Execution, Task
from runyard.localcloud.spawner.port import SecretFile, TaskOrder

SecretValues = Mapping[SecretRef, bytes]


def contract_env(execution: Execution, task: Task) -> dict[str, str]:
    """The variables that Cloud Run sets in every job container (container contract)."""
    return {
        "CLOUD_RUN_JOB": execution.job,
        "CLOUD_RUN_EXECUTION": execution.name,
        "CLOUD_RUN_TASK_INDEX": str(task.index),
        "CLOUD_RUN_TASK_ATTEMPT": str(task.attempt),
        "CLOUD_RUN_TASK_COUNT": str(execution.blueprint.task_count),
    }


def task_order(
    execution: Execution,
    task: Task,
    values: SecretValues,
    *,
    log_path: str,
    search_path: str,
    working_folder: str,
    log_bytes_max: int,
) -> TaskOrder:
    """What the spawner is told to start. `values` holds every secret the blueprint names.

    `search_path` is the PATH of a task that sets none. Raises UnicodeDecodeError or ValueError
    when a secret cannot be an environment variable; ask `env_fault` first.
    """
    plan = execution.blueprint
    env = {"PATH": search_path, **dict(plan.env)}
    env |= {name: _text(values[ref]) for name, ref in plan.secret_env}
    env |= contract_env(execution, task)
    files = [SecretFile(file.path, values[file.ref], file.mode) for file in plan.secret_files]
    if plan.input_file is not None:
        path, content = plan.input_file
        files.append(SecretFile(path, content.encode("utf-8", "surrogatepass")))
        env[INPUT] = path
    return TaskOrder(
        key=attempt_name(execution.name, task.index, task.attempt),
        argv=plan.argv,
        env=env,
        log_path=log_path,
        task=task.index,
        attempt=task.attempt,
        timeout_seconds=plan.timeout_seconds,
        working_folder=working_folder,
        folders=plan.empty_folders,
        memory_bytes=plan.memory_bytes,
        vcpu_milli=plan.vcpu_milli,
        files=tuple(files),
        redactions=redactions(plan, values),
        log_bytes_max=log_bytes_max,
    )


def env_fault(plan: Blueprint, values: SecretValues) -> str:
    """Why a secret cannot be an environment variable; empty when all can. Never tells a value."""
    for name, ref in plan.secret_env:
        try:
            _text(values[ref])
        except ValueError:
            return (
                f"secret {ref} cannot be the environment variable {name}: it is not text without"
                " zero bytes. Mount it as a file instead."
            )
    return ""


def redactions(plan: Blueprint, values: SecretValues) -> tuple[tuple[str, str], ...]:
    """(name, value) of every secret that is text."""
    found: list[tuple[str, str]] = []
    for ref in plan.secret_refs:
        text = values[ref].decode("utf-8", errors="ignore")
        if text and text.encode() == values[ref]:
            found.append((ref.secret.rsplit("/", 1)[-1], text))
    return tuple(found)


def _text(value: bytes) -> str:
    text = value.decode("utf-8")
    if "\0" in text:
        raise ValueError("a zero byte")
    return text
