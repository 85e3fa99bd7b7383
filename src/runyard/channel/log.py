"""The channel that is always there: the server's own log, one ERROR line for each notice."""

from __future__ import annotations

import logging

from runyard.model.notice import Notice

LOGGER = logging.getLogger("runyard.alerts")


class LogChannel:
    """Tells by logging. Cannot fail."""

    name = "log"

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        LOGGER.error("%s: %s", f"{notice.title} {notice.run}".rstrip(), notice.text)
