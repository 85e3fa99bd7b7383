"""The two levels: ExecutionTemplate (how many tasks) and TaskTemplate (what a task is)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from runyard.model.cloudrun.container import Container, SandboxConfiguration
from runyard.model.cloudrun.network import NodeSelector, VpcAccess, WorkloadIdentityConfig
from runyard.model.cloudrun.volume import Volume
from runyard.model.cloudrun.words import EncryptionKey, ServiceAccount
from runyard.model.forms import Between, Counted, Lasting
from runyard.model.quantities import memory_bytes_of, vcpu_milli_of
from runyard.model.strict import Message

TASKS_MAX = 10_000  #: tasks of an execution (Cloud Run quotas)
RETRIES_MAX = 10  #: retries of a task (configuring/max-retries)
TIMEOUT_SECONDS_MAX = 168 * 3600  #: of one task attempt, 7 days (configuring/task-timeout)
CONTAINERS_MAX = 10  #: containers of an instance (Cloud Run quotas)


class ExecutionEnvironment(StrEnum):
    """Which generation of the sandbox; jobs always run in the second."""

    EXECUTION_ENVIRONMENT_UNSPECIFIED = "EXECUTION_ENVIRONMENT_UNSPECIFIED"
    EXECUTION_ENVIRONMENT_GEN1 = "EXECUTION_ENVIRONMENT_GEN1"
    EXECUTION_ENVIRONMENT_GEN2 = "EXECUTION_ENVIRONMENT_GEN2"


class TaskTemplate(Message):
    """What a task is. `maxRetries` and `timeout` are written out: their defaults surprise."""

    containers: Annotated[tuple[Container, ...], Counted(1, CONTAINERS_MAX)]
    volumes: tuple[Volume, ...] = ()
    max_retries: Annotated[int, Between(0, RETRIES_MAX)] = 3
    timeout: Annotated[str, Lasting(1, TIMEOUT_SECONDS_MAX, "168h")] = "600s"
    service_account: ServiceAccount | None = None
    execution_environment: ExecutionEnvironment = (
        ExecutionEnvironment.EXECUTION_ENVIRONMENT_UNSPECIFIED
    )
    encryption_key: EncryptionKey | None = None
    vpc_access: VpcAccess | None = None
    node_selector: NodeSelector | None = None
    gpu_zonal_redundancy_disabled: bool | None = None
    sandboxes: SandboxConfiguration | None = None
    workload_identity_config: WorkloadIdentityConfig | None = None
    written: ClassVar[frozenset[str]] = frozenset({"max_retries", "timeout"})


class ExecutionTemplate(Message):
    """How many tasks, how many at once (`parallelism` 0: as many as possible), and which."""

    template: TaskTemplate
    labels: dict[str, str] = Field(default={})
    annotations: dict[str, str] = Field(default={})
    parallelism: Annotated[int, Between(0, TASKS_MAX)] = 0
    task_count: Annotated[int, Between(1, TASKS_MAX)] = 1
    delay_execution: bool = False
    client: str = ""
    client_version: str = ""
    written: ClassVar[frozenset[str]] = frozenset({"task_count"})

    @property
    def vcpu_milli(self) -> int:
        """Thousandths of a CPU that one task asks for, over all its containers."""
        return sum(vcpu_milli_of(one.resources.limits.cpu) for one in self.template.containers)

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that one task asks for, over all its containers."""
        containers = self.template.containers
        return sum(memory_bytes_of(one.resources.limits.memory) for one in containers)
