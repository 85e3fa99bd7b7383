"""CPU, memory and GPU: what goes together.

https://cloud.google.com/run/docs/configuring/jobs/cpu, .../memory-limits, .../gpu. The limits
are those of the whole instance, so with several containers their sums count.
"""

from __future__ import annotations

from runyard.model.cloudrun.sizes import PAIRS
from runyard.model.manifest.view import TASK, Data, JobView, mapping, text
from runyard.model.quantities import GIB, MIB, memory_bytes_of, vcpu_milli_of
from runyard.model.validation import Path, did_you_mean

CPU_MAX = max(PAIRS)
#: The second generation's minimum; one copy of Google's page allows less, so it is a warning.
MEMORY_WARNED = 512 * MIB
GPU = "nvidia.com/gpu"
GPU_CPU_MIN = 4  #: `gcloud run jobs create --gpu`: at least 4 CPUs and 8 GiB
GPU_MEMORY_MIN = 8 * GIB
ACCELERATORS = ("nvidia-l4", "nvidia-rtx-pro-6000")


def check(job: JobView) -> None:
    """See the module."""
    limits = [
        ((*path, "resources", "limits"), mapping(mapping(container, "resources"), "limits"))
        for path, container in job.containers()
    ]
    amounts = [_amounts(one) for _, one in limits]
    known = [one for one in amounts if one is not None]
    if limits and len(known) == len(limits):
        cpu, memory = sum(one[0] for one in known), sum(one[1] for one in known)
        path = limits[0][0] if len(limits) == 1 else (*TASK, "containers")
        if _is_cpu_fine(job, path, limits, cpu):
            _memory(job, path, limits, cpu, memory)
        _gpu_needs(job, limits, cpu, memory)
    _accelerator(job, [path for path, one in limits if GPU in one])


def _amounts(limits: Data) -> tuple[int, int] | None:
    """Thousandths of a CPU and bytes, or None when one of them cannot be read."""
    try:
        cpu = vcpu_milli_of(text(limits, "cpu", "" if "cpu" in limits else "1"))
        return cpu, memory_bytes_of(text(limits, "memory", "" if "memory" in limits else "512Mi"))
    except ValueError:
        return None


Limits = list[tuple[Path, Data]]


def _is_cpu_fine(job: JobView, path: Path, limits: Limits, cpu_milli: int) -> bool:
    if len(limits) == 1:
        if cpu_milli % 1000 or cpu_milli // 1000 not in PAIRS:
            listed = ", ".join(str(cpu) for cpu in PAIRS)
            job.fault(_key(path, limits, "cpu"), f"one of {listed} CPUs")
            return False
    elif not 1000 <= cpu_milli <= CPU_MAX * 1000:
        expected = f"containers with 1 to {CPU_MAX} CPUs together, not {cpu_milli / 1000:g}"
        job.fault(path, expected)
        return False
    return True


def _bounds(cpu_milli: int) -> tuple[int, int]:
    """(least, most) memory. A sum between two rows has the lower one's least, the upper's most."""
    below = max(cpu for cpu in PAIRS if cpu * 1000 <= cpu_milli)
    above = min(cpu for cpu in PAIRS if cpu * 1000 >= cpu_milli)
    return PAIRS[below][0], PAIRS[above][1]


def _memory(job: JobView, path: Path, limits: Limits, cpu_milli: int, memory: int) -> None:
    least, most = _bounds(cpu_milli)
    where = _key(path, limits, "memory")
    if not least <= memory <= most:
        together = "" if len(limits) == 1 else " together"
        cpu = f"{cpu_milli / 1000:g} CPU"
        expected = f"{_size(least)} to {_size(most)} of memory{together} with {cpu}"
        job.fault(where, expected, _memory_hint(least, most, memory))
    elif memory < MEMORY_WARNED:
        expected = f"at least {_size(MEMORY_WARNED)}, which Google's second generation asks for"
        job.warn(where, expected)


def _memory_hint(least: int, most: int, memory: int) -> str:
    fitting = next((cpu for cpu, (low, high) in PAIRS.items() if low <= memory <= high), None)
    if fitting is not None:
        return f"{_size(memory)} goes with {fitting} CPU"
    return f"write {_size(least if memory < least else most)}"


def _gpu_needs(job: JobView, limits: Limits, cpu_milli: int, memory: int) -> None:
    gpus = [path for path, one in limits if GPU in one]
    for path in gpus[1:]:
        job.fault((*path, GPU), "one GPU in all the task")
    if gpus and (cpu_milli < GPU_CPU_MIN * 1000 or memory < GPU_MEMORY_MIN):
        expected = f"at least {GPU_CPU_MIN} CPUs and {_size(GPU_MEMORY_MIN)} of memory with a GPU"
        job.fault((*gpus[0], GPU), expected)


def _accelerator(job: JobView, gpus: list[Path]) -> None:
    accelerator = text(mapping(job.task, "nodeSelector"), "accelerator")
    path = (*TASK, "nodeSelector", "accelerator")
    if gpus and "nodeSelector" not in job.task:
        job.fault((*gpus[0], GPU), f"nodeSelector with one of {', '.join(ACCELERATORS)}")
    if accelerator and job.task.get("containers") and not gpus:
        job.fault(path, f"a container with the limit {GPU}: '1'")
    if accelerator and accelerator not in ACCELERATORS:
        listed = f"one of {', '.join(ACCELERATORS)}"
        job.warn(path, listed, did_you_mean(accelerator, ACCELERATORS))


def _key(path: Path, limits: Limits, key: str) -> Path:
    return (*path, key) if len(limits) == 1 else path


def _size(amount: int) -> str:
    return f"{amount // GIB}Gi" if amount % GIB == 0 else f"{-(-amount // MIB)}Mi"
