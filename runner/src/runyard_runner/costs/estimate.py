"""What a runner costs a month: the table of the architecture, worked out for one use of it.

Rule 1  Cloud Run is billed while a request is worked on: for every 100 ms begun, for vCPU, memory
        and the request. Executions that overlap would share an instance: they are counted apart.
Rule 2  what is free is taken off at tier 1 prices, as Google does, and never more than is charged.
        It belongs to a whole billing account: other services there use it up too.
Rule 3  arithmetic is exact; each figure is rounded once, half up, to a whole nano-dollar.
Rule 4  a month has as many executions as a twelfth of the year ahead has, rounded up.
Rule 5  what has no price in the list is told as such, and never counted as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from runyard_runner.calendar.line import Line
from runyard_runner.costs.prices import GB_BYTES, GIB_BYTES, MILLION, Prices

_STEP_MILLISECONDS = 100
_YEAR_DAYS = 365
_LOG_LINE_BYTES = 1_000  #: of a structured line, and about as much by Cloud Run's request log
_ENDPOINT_BYTES = 2_000  #: sent to one endpoint: request, headers, TLS


@dataclass(frozen=True, slots=True)
class Use:
    """What is asked of a runner. `duration_seconds`: until one endpoint has answered."""

    executions: int  #: a month
    endpoints: int
    duration_seconds: Fraction
    is_parallel: bool = True
    max_workers: int | None = None
    region: str = "us-central1"
    vcpu: Fraction = Fraction(1)
    memory_bytes: int = 512 << 20
    scheduler_jobs: int = 1
    images: int = 5
    image_bytes: int = 60_000_000
    deployments: int = 8
    build_minutes: int = 6  #: of one deployment

    @property
    def execution_seconds(self) -> Fraction:
        """How long one execution works: waves of endpoints side by side, or one after the other."""
        if not self.is_parallel:
            return self.endpoints * self.duration_seconds
        workers = self.max_workers or min(10, max(self.endpoints, 1))
        return -(-self.endpoints // workers) * self.duration_seconds

    @property
    def billed_seconds(self) -> Fraction:
        """The same, up to the next 100 ms; at least these."""
        steps = -(-self.execution_seconds * 1000 // _STEP_MILLISECONDS)
        return Fraction(max(int(steps), 1) * _STEP_MILLISECONDS, 1000)


@dataclass(frozen=True, slots=True)
class Cost:
    """A line of the table: `nano_dollars` is `None` where the list has no price for it."""

    component: str
    model: str
    usage: str
    free: str
    nano_dollars: int | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The table, by the prices of `prices_from`."""

    use: Use
    prices_from: date
    costs: tuple[Cost, ...]
    notes: tuple[str, ...]

    @property
    def nano_dollars(self) -> int:
        """All that has a price."""
        return sum(cost.nano_dollars or 0 for cost in self.costs)


def executions_a_month(line: Line, first_day: date) -> int:
    """How often `line` runs in a month: a twelfth of the year from `first_day` on, rounded up."""
    days = sum(line.runs_on(first_day + timedelta(days=number)) for number in range(_YEAR_DAYS))
    return -(-days * len(line.hours) * len(line.minutes) // 12)


def estimate(use: Use, prices: Prices) -> Estimate:
    """What `use` costs a month."""
    run = _run(use, prices)
    costs = (
        _builds(use, prices),
        _registry(use, prices),
        run,
        _scheduler(use, prices),
        _logs(use, prices),
        _network(use, prices),
    )
    return Estimate(use, prices.valid_from, costs, tuple(_notes(use, prices)))


def _run(use: Use, prices: Prices) -> Cost:
    seconds = use.executions * use.billed_seconds
    vcpu_seconds, gib_seconds = seconds * use.vcpu, seconds * Fraction(use.memory_bytes, GIB_BYTES)
    price, first = prices.run(use.region), prices.tier1
    request = Fraction(prices.million_requests_nano_dollars, MILLION)
    charged = (
        _beyond(
            vcpu_seconds * price.vcpu_second_nano_dollars,
            prices.free_vcpu_seconds * first.vcpu_second_nano_dollars,
        )
        + _beyond(
            gib_seconds * price.gib_second_nano_dollars,
            prices.free_gib_seconds * first.gib_second_nano_dollars,
        )
        + _beyond(use.executions * request, prices.free_requests * request)
    )
    return Cost(
        "Cloud Run",
        "requests and compute",
        f"{use.executions:,} requests, {_rounded(vcpu_seconds):,} vCPU-s, "
        f"{_rounded(gib_seconds):,} GiB-s",
        f"{prices.free_requests:,} requests, {prices.free_vcpu_seconds:,} vCPU-s, "
        f"{prices.free_gib_seconds:,} GiB-s",
        charged,
    )


def _scheduler(use: Use, prices: Prices) -> Cost:
    paid = max(use.scheduler_jobs - prices.free_scheduler_jobs, 0)
    month = Fraction(_YEAR_DAYS, 12 * 31)
    return Cost(
        "Cloud Scheduler",
        "jobs",
        _counted(use.scheduler_jobs, "job"),
        _counted(prices.free_scheduler_jobs, "job"),
        _rounded(paid * prices.scheduler_job_nano_dollars * month),
    )


def _registry(use: Use, prices: Prices) -> Cost:
    kept = use.images * use.image_bytes
    paid = Fraction(max(kept - prices.free_registry_bytes, 0), GB_BYTES)
    return Cost(
        "Artifact Registry",
        "storage",
        f"{_counted(use.images, 'image')} of {_megabytes(use.image_bytes)}",
        _megabytes(prices.free_registry_bytes),
        _rounded(paid * prices.registry_gb_nano_dollars),
    )


def _logs(use: Use, prices: Prices) -> Cost:
    written = use.executions * (use.endpoints + 2) * _LOG_LINE_BYTES
    paid = Fraction(max(written - prices.free_log_bytes, 0), GIB_BYTES)
    return Cost(
        "Cloud Logging",
        "written lines",
        f"about {_megabytes(written)}",
        f"{prices.free_log_bytes // GIB_BYTES} GiB",
        _rounded(paid * prices.log_gib_nano_dollars),
    )


def _network(use: Use, prices: Prices) -> Cost:
    sent = use.executions * use.endpoints * _ENDPOINT_BYTES
    free = f"{prices.free_network_bytes // GIB_BYTES} GiB"
    fits = sent <= prices.free_network_bytes
    return Cost("Network", "sent", f"about {_megabytes(sent)}", free, 0 if fits else None)


def _builds(use: Use, prices: Prices) -> Cost:
    minutes = use.deployments * use.build_minutes
    fits = minutes <= prices.free_build_minutes
    free = f"{prices.free_build_minutes:,} minutes"
    usage = f"{_counted(use.deployments, 'deployment')} of {use.build_minutes} minutes"
    return Cost("GitHub Actions", "minutes", usage, free, 0 if fits else None)


def _notes(use: Use, prices: Prices) -> Iterator[str]:
    yield "what is free is free for a whole billing account, not for each service"
    if not prices.is_tier1(use.region):
        yield f"{use.region} is charged by tier 2, as every region that the list does not name"
    yield "logs and network are assumed: 1 kB a line, 2 kB an endpoint"
    yield "conditions of alert policies have no price here"


def _beyond(charge: Fraction, free: Fraction | int) -> int:
    return _rounded(max(charge - free, Fraction()))


def _rounded(number: Fraction) -> int:
    return int((number + Fraction(1, 2)) // 1)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _megabytes(count: int) -> str:
    return f"{_rounded(Fraction(count, 1_000_000)):,} MB"
