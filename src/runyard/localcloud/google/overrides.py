"""RunJob's overrides, from Google's message to the cloud's. Pure."""

from __future__ import annotations

from runyard.localcloud.cloudrun.resources import ContainerOverride, RunOverrides
from runyard.localcloud.google.names import wrong
from runyard.localcloud.google.requests import ContainerOverride as Asked
from runyard.localcloud.google.requests import Overrides
from runyard.model.durations import FORM_EXPECTED, seconds_of

_WHERE = "overrides.containerOverrides"


def overrides_of(asked: Overrides) -> RunOverrides:
    """What is overridden. Raises InvalidSpec for what cannot be."""
    return RunOverrides(
        containers=tuple(_container(at, one) for at, one in enumerate(asked.container_overrides)),
        task_count=asked.task_count or None,
        timeout_seconds=duration("overrides.timeout", asked.timeout) if asked.timeout else None,
    )


def _container(at: int, asked: Asked) -> ContainerOverride:
    for place, one in enumerate(asked.env):
        if one.value_source is not None:
            field = f"{_WHERE}[{at}].env[{place}].valueSource"
            raise wrong(field, "", "a value", "give the job the secret, and override nothing")
    return ContainerOverride(
        name=asked.name,
        args=asked.args or None,
        env=tuple((one.name, one.value) for one in asked.env),
        clear_args=asked.clear_args,
    )


def duration(field: str, text: str) -> float:
    """Seconds of a google.protobuf.Duration in JSON. Raises InvalidSpec naming `field`."""
    try:
        return seconds_of(text)
    except ValueError:
        raise wrong(field, text[:60], FORM_EXPECTED) from None
