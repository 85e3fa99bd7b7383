"""docs/reference/runner.md, from the tables that the runner reads settings and requests with."""

from __future__ import annotations

from runyard_runner.declarations import SETTINGS
from runyard_runner.model import endpoint, order
from tools.docs.markdown import code, page, table

_HEAD = ("field", "type", "meaning", "default")


def runner_page() -> str:
    """Every setting of the runner, and every field of what it is sent."""
    return page(
        "The runner: settings and fields",
        "The runner is configured by the environment. In development a file `.env` in its folder "
        "may hold variables too; on Cloud Run (`K_SERVICE` is set) that file is not opened. "
        "`runyard-runner --check` reads everything, names all that is wrong, and ends.",
        "## Settings",
        table(
            ("variable", "meaning", "unit", "default"),
            (
                (
                    code(name),
                    each.meaning + (" (secret: never shown)" if each.secret else ""),
                    each.unit,
                    code(_words(each.default)),
                )
                for name, each in SETTINGS.items()
            ),
        ),
        "## An endpoint",
        "A URL, which is called with POST, or an object. `${NAME}` in any of its strings is filled "
        "from the environment (`$${NAME}` says `${NAME}`); `{{ results[0].response.id }}` and "
        "`{{ results.NAME.response.id }}` are filled from earlier results, in a sequence.",
        table(_HEAD, _rows(endpoint.FIELDS)),
        "## The body of POST /execute",
        "JSON under any content type; it may be empty. GET takes the same fields in its query.",
        table(_HEAD, _rows(order.FIELDS)),
    )


def _rows(fields: dict[str, tuple[str, str, str]]) -> list[tuple[str, str, str, str]]:
    return [
        (code(name), kind, meaning, default) for name, (kind, meaning, default) in fields.items()
    ]


def _words(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)
