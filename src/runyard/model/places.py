"""Names of regions and of time zones."""

from __future__ import annotations

from typing import Annotated

from runyard.model.forms import Shaped

RegionName = Annotated[
    str, Shaped("[a-z]+(-[a-z0-9]+)*-[a-z]+[0-9]{1,2}", "a region such as us-central1", 40)
]
ZoneName = Annotated[
    str,
    Shaped(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", "a time zone such as Europe/Berlin", 64),
]
