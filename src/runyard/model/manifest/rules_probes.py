"""Probes: the API's description of Probe, and
https://cloud.google.com/run/docs/configuring/jobs/healthchecks, which knows startup probes only."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.model.manifest.view import Data, JobView, mapping, whole
from runyard.model.validation import Path

ACTIONS = ("httpGet", "tcpSocket", "grpc")
STARTUP_SECONDS_MAX = 240  #: of delay, of a period, and of failureThreshold x periodSeconds


def check(job: JobView) -> None:
    """See the module."""
    for path, container in job.containers():
        for key in ("startupProbe", "livenessProbe", "readinessProbe"):
            if isinstance(container.get(key), Mapping):
                probe, where = mapping(container, key), (*path, key)
                _action(job, where, probe)
                _period(job, where, probe)
                if key == "startupProbe":
                    _startup(job, where, probe)
                else:
                    job.warn(where, "startupProbe: Google documents no other probe for jobs")


def _action(job: JobView, where: Path, probe: Data) -> None:
    actions = [action for action in ACTIONS if action in probe]
    if not actions:
        job.fault(where, f"one of {', '.join(ACTIONS)}")
    for action in actions[1:]:
        job.fault((*where, action), f"one action; it is {actions[0]} already")


def _period(job: JobView, where: Path, probe: Data) -> None:
    timeout, period = whole(probe, "timeoutSeconds", 1), whole(probe, "periodSeconds", 10)
    if timeout > period >= 1:
        path = (*where, "timeoutSeconds" if "timeoutSeconds" in probe else "periodSeconds")
        job.fault(path, f"timeoutSeconds ({timeout}) not above periodSeconds ({period})")


def _startup(job: JobView, where: Path, probe: Data) -> None:
    for key, default in (("initialDelaySeconds", 0), ("periodSeconds", 10)):
        if whole(probe, key, default) > STARTUP_SECONDS_MAX:
            job.fault((*where, key), f"at most {STARTUP_SECONDS_MAX} for a startup probe")
            return
    period, threshold = whole(probe, "periodSeconds", 10), whole(probe, "failureThreshold", 3)
    if period * threshold > STARTUP_SECONDS_MAX:
        key = "failureThreshold" if "failureThreshold" in probe else "periodSeconds"
        expected = (
            f"failureThreshold x periodSeconds of at most {STARTUP_SECONDS_MAX}, "
            f"not {period * threshold}"
        )
        job.fault((*where, key), expected)
