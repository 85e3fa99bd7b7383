"""The command line's one entry: what commands there are, and what becomes of their errors.

Every command is loaded when it is called (`module:function` as text), so that `runyard runs`
does not pay for the imports of `runyard validate`. Exit statuses: `runyard.model.codes`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from cyclopts import App, CycloptsError, Group, Parameter

from runyard import __version__
from runyard.cli import output, report
from runyard.cli.session import SESSION, Session
from runyard.model.codes import exit_status
from runyard.model.errors import Code, OutputLost, PlatformError

_SERVER = Group("The server", sort_key=1)
_JOBS = Group("Jobs: say what to run", sort_key=2)
_RUNS = Group("Runs: start, follow, understand", sort_key=3)
_EVENTS = Group("Events: publish and receive", sort_key=4)
_PEOPLE = Group("People: who may do what, and who did", sort_key=5)
_MACHINE = Group("This machine", sort_key=6)
_ALWAYS = Group("Always", sort_key=7)


# name: (function or app, group, one line of help). In the order in which people need them.
COMMANDS: dict[str, tuple[str, Group, str]] = {
    "up": ("server_up:up", _SERVER, "Start the server."),
    "server": (
        "roles:server",
        _SERVER,
        "Start a server without an engine, beside others on one PostgreSQL database.",
    ),
    "engine": (
        "roles:engine",
        _SERVER,
        "Start an engine without a server, beside others on one PostgreSQL database.",
    ),
    "down": ("server_down:down", _SERVER, "Stop the server."),
    "demo": (
        "demo.command:demo",
        _SERVER,
        "Run real jobs to their ends, and say what happened and what it cost.",
    ),
    "status": ("status:status", _SERVER, "Show the server's runs, regions and loops."),
    "validate": ("validate:validate", _JOBS, "Check manifests, without a server."),
    "schema": ("schema:schema", _JOBS, "Print the JSON Schema of the manifest, for editors."),
    "import": ("importing:import_", _JOBS, "Print the manifest of existing Cloud Run jobs."),
    "plan": ("plan:plan", _JOBS, "Say what applying manifests would change, overwrite and cost."),
    "apply": ("apply:apply", _JOBS, "Bring manifests into force."),
    "jobs": ("jobs:jobs", _JOBS, "List jobs, or show one."),
    "triggers": (
        "triggers:triggers",
        _JOBS,
        "List what asks for runs by itself; pause, resume and fire it.",
    ),
    "environments": (
        "environments:environments",
        _JOBS,
        "List environments, show one, or bring them into force.",
    ),
    "operations": (
        "operations:operations",
        _JOBS,
        "List changes of jobs, follow them, approve or undo them.",
    ),
    "secrets": (
        "secrets:secrets",
        _JOBS,
        "Create, renew, list and read secrets; say who may read them.",
    ),
    "schedules": (
        "schedules:schedules",
        _JOBS,
        "Say what schedules mean, and what they will do.",
    ),
    "metrics": (
        "metrics:metrics",
        _JOBS,
        "Show what was measured of a job: runs, waits, durations, use, cost.",
    ),
    "run": ("run:run", _RUNS, "Run a job."),
    "runs": ("runs:runs", _RUNS, "List runs, show one, or wait for one."),
    "logs": (
        "logs:logs",
        _RUNS,
        "Print a run's log, follow it, search all logs, or show what errors there are.",
    ),
    "explain": (
        "explain:explain",
        _RUNS,
        "Say why a run started, waited, was retried, ended, and what it cost.",
    ),
    "trace": ("trace:trace", _RUNS, "Show where the time of a run went."),
    "cancel": ("cancel:cancel", _RUNS, "Stop a run."),
    "resume": ("resume:resume", _RUNS, "Have a run go on that waits for something."),
    "dead-letters": (
        "dead_letters:dead_letters",
        _RUNS,
        "List runs that were given up, by what they have in common; replay or discard them.",
    ),
    "alerts": (
        "alerts:alerts",
        _RUNS,
        "List what is wrong, silence it, and try the channels by which people are told.",
    ),
    "incidents": (
        "incidents:incidents",
        _RUNS,
        "List incidents, show one, say that you have it, do something about it, end it.",
    ),
    "hooks": (
        "hooks:hooks",
        _EVENTS,
        "List webhooks, look at what was brought to them, bring it again.",
    ),
    "topics": (
        "topics:topics",
        _EVENTS,
        "Make topics and publish to them.",
    ),
    "subscriptions": (
        "subscriptions:subscriptions",
        _EVENTS,
        "Say who gets the messages of a topic; pull, acknowledge and replay them.",
    ),
    "users": ("users:users", _PEOPLE, "Say who is known here, and give and take roles."),
    "tokens": ("tokens:tokens", _PEOPLE, "Make, rotate and revoke tokens."),
    "audit": ("audit:audit", _PEOPLE, "Show, verify and anchor the audit log."),
    "break-glass": (
        "break_glass:break_glass",
        _PEOPLE,
        "Lift an environment's guards (freezes, approvals, who may) for yourself, for a while.",
    ),
    "config": ("config:config", _MACHINE, "Show every setting and where its value is from."),
    "backup": ("backup:backup", _MACHINE, "Write all that is kept into one file."),
    "restore": ("backup:restore", _MACHINE, "Put a backup back, while no server works."),
    "migrate": ("migrate:migrate", _MACHINE, "Bring what is kept to this version's schema."),
    "doctor": ("doctor:doctor", _MACHINE, "Check what this machine can do."),
    "completion": ("completion:completion", _MACHINE, "Complete commands in your shell."),
    "version": ("version:version", _MACHINE, "Print the version."),
}


def build(*, brief: bool) -> App:
    """The application. `brief`: each command has its line of help from the table above, so that the
    list of commands loads none of them; else the text with its function."""
    built = App(
        name="runyard",
        help="Runs Cloud Run jobs, on this machine and on Google Cloud.\n\n"
        "Start with `runyard up` and `runyard apply`. `runyard COMMAND --help` tells more.",
        version=__version__,
        help_format="markdown",
        help_flags=("--help", "-h"),
        group_commands=_ALWAYS,
        default_parameter=Parameter(negative=(), show_default=False),
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for place, (name, (path, group, summary)) in enumerate(COMMANDS.items()):
        built.command(
            f"runyard.cli.{path}",
            name=name,
            group=group,
            sort_key=place,
            help=summary if brief else None,
        )
    return built


app = build(brief=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Carries out one command line and returns its exit status. Never raises."""
    tokens = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in tokens
    output.open_streams()
    session = Session()
    before = SESSION.set(session)
    try:
        listed = not tokens or tokens[0] in app.help_flags
        status = (build(brief=True) if listed else app)(tokens)
        output.flush()
        return status if isinstance(status, int) else 0
    except BrokenPipeError:
        return _quiet_end()
    except KeyboardInterrupt:
        return exit_status(Code.CANCELLED)
    except CycloptsError as error:
        return int(_trouble().misused(error, app, as_json=as_json))
    except OutputLost as error:
        _drop_output()
        return report.error(error, as_json=as_json, sources={})
    except PlatformError as error:
        return report.error(error, as_json=as_json, sources=session.sources)
    except Exception as error:  # the top: nothing above would catch it
        return int(_trouble().own_fault(error, as_json=as_json))
    finally:
        session.closing.close()
        SESSION.reset(before)


def _trouble() -> ModuleType:
    """By name, as commands are: what only a failing command needs, no other one waits for."""
    return import_module("runyard.cli.trouble")


def _quiet_end() -> int:
    """Whoever read our output has seen enough (`| head`): no message, as other tools do."""
    _drop_output()
    return 0


def _drop_output() -> None:
    """Else the interpreter's own flush at exit fails once more, and says so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
