"""docs/reference/errors.md, from `runyard.model.errors` and `runyard.model.codes`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from runyard.model.codes import TABLE
from runyard.model.errors import PlatformError
from runyard.model.run_statuses import RUN_EXIT_STATUS
from tools.docs.markdown import code, page, table


def errors(root: type[PlatformError] = PlatformError, depth: int = 0) -> Iterator[tuple[int, type]]:
    """Every error below `root` that stands in `runyard.model.errors`, with its depth."""
    yield depth, root
    for child in root.__subclasses__():
        if child.__module__ == root.__module__:
            yield from errors(child, depth + 1)


def errors_page() -> str:
    """Every error, every code, and what a run's end means to a shell."""
    return page(
        "Errors",
        "A job that fails is no error of Runyard: it is the outcome of a run. Errors are what "
        "Runyard itself, its caller or a far side did wrong. Each has one of Google's canonical "
        "codes, a message, a hint that says what to do next, and where an input was wrong every "
        "fault in it: path, value, what was expected, and in files the line. `transient` means "
        "that the same call may succeed later.",
        table(
            ("error", "code", "transient", "HTTP", "exit", "meaning"),
            (
                (
                    f"{'- ' * depth}{code(error.__name__)}",
                    error.code,
                    "yes" if error.transient else "",
                    TABLE[error.code][0],
                    TABLE[error.code][1],
                    " ".join((inspect.getdoc(error) or "").split()),
                )
                for depth, error in errors()
                if issubclass(error, PlatformError)
            ),
        ),
        "## Codes",
        "Exit statuses follow `sysexits.h`, so that none is taken for the end of a run.",
        table(
            ("code", "HTTP status", "exit status"),
            ((code(each), http, shell) for each, (http, shell) in TABLE.items()),
        ),
        "## Exit status of a run",
        "`runyard run --wait` and `runyard runs wait` exit with what became of the run.",
        table(
            ("final state", "exit status"),
            ((code(state), status) for state, status in RUN_EXIT_STATUS.items()),
        ),
    )
