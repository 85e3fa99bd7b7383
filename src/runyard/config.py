"""Every setting, declared once. The only module that reads the environment.

Where a value comes from, `runyard.setting_sources` tells.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from runyard.model import settings as read
from runyard.model.quantities import GIB, KIB, MIB
from runyard.model.settings import Default, Machine, Setting, SettingRow
from runyard.setting_sources import HIDDEN, PREFIX, as_path, found

T = TypeVar("T")

DAY_SECONDS = 86_400


def here(uid: int | None = None) -> Machine:
    """This machine, for this process and its user (or the user with number `uid`)."""
    try:
        home = pwd.getpwuid(os.getuid() if uid is None else uid).pw_dir
    except KeyError:
        home = ""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(len(os.sched_getaffinity(0)), memory_bytes, home)


def _setting(
    reader: Callable[[str], T],
    meaning: str,
    default: Default,
    *,
    unit: str = "",
    default_words: str = "",
    secret: bool = False,
) -> T:
    setting = Setting(reader, unit, meaning, default, default_words, secret)
    return cast("T", field(metadata={"setting": setting}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings in force. Made by `load`; `sources` says where each one came from."""

    state_folder: Path = _setting(
        as_path,
        "where everything is kept: database, logs, token; on a local disk, yours alone",
        read.state_folder,
        unit="path",
        default_words="$XDG_STATE_HOME/runyard, else ~/.local/state/runyard",
    )
    database_url: str = _setting(
        read.database_url,
        "the PostgreSQL database that runs are kept in; empty: an SQLite file in the state folder",
        "",
        unit="URL",
        secret=True,
    )
    environment: str = _setting(
        read.name,
        "the environment that is meant where none is named",
        "local",
    )
    host: str = _setting(
        read.text_like(r"[0-9A-Za-z.:_-]{1,255}", "a host name or an address such as 127.0.0.1"),
        "address the server listens at; another than this machine's own needs TLS in front",
        "127.0.0.1",
    )
    port: int = _setting(
        read.number(0, 65_535), "port the server listens at; 0 takes a free one", "8327"
    )
    google_api_port: int | None = _setting(
        read.optional_number(0, 65_535),
        "port of this machine at which `runyard up` answers as Google's Cloud Run API; "
        "0 takes a free one, empty: it does not",
        "",
    )
    public_url: str = _setting(
        read.url,
        "how people reach the server from elsewhere, for links; empty: host and port",
        "",
        unit="URL",
    )
    url: str = _setting(
        read.url,
        "the server that the commands talk to; empty: the one of the state folder",
        "",
        unit="URL",
    )
    token: str = _setting(
        read.text_like(r"[!-~]{0,512}", "a token: printable characters without blanks"),
        "token of the commands for that server; empty: the one in the state folder",
        "",
        secret=True,
    )
    log_level: str = _setting(
        read.one_of("debug", "info", "warning", "error"),
        "how much the server says about itself on standard error",
        "info",
    )
    secrets_key: str = _setting(
        read.one_of("file", "keyring"),
        "where the key of the secrets is: a file of the state folder, or the system's keyring",
        "file",
    )
    regions: tuple[str, ...] = _setting(
        read.names,
        "regions of the cloud on this machine; jobs that name none run in the first",
        "us-central1,europe-west1",
        unit="names, separated by commas",
    )
    region_vcpu: int = _setting(
        read.number(1, 100_000),
        "vCPUs that the tasks of one region may ask for at the same time",
        lambda _, machine: str(4 * machine.cores),
        unit="vCPU",
        default_words="4 for each core: most tasks wait more than they compute",
    )
    region_memory_bytes: int = _setting(
        read.byte_size(128 * MIB, 2**50),
        "memory that the tasks of one region may ask for at the same time",
        lambda _, machine: str(max(machine.memory_bytes, 128 * MIB)),
        unit="bytes",
        default_words="the memory of this machine",
    )
    region_runs_max: int = _setting(
        read.number(1, 100_000),
        "attempts that may be out in one region at the same time; Cloud Run's quota is the default",
        "1000",
        unit="attempts",
    )
    task_user: str = _setting(
        read.text_like(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", "the name of a user"),
        "user that tasks run as when the server is started by root; else they run as its user",
        "nobody",
    )
    log_bytes_max: int = _setting(
        read.byte_size(KIB, 1024 * GIB),
        "log kept of one task attempt; what goes beyond is counted and dropped",
        "64Mi",
        unit="bytes",
    )
    logs_bytes_max: int = _setting(
        read.byte_size(0, 2**60), "room of all logs; the oldest go; 0: no bound", "0", unit="bytes"
    )
    run_retention_seconds: float = _setting(
        read.seconds(60, 36_500 * DAY_SECONDS),
        "how long a finished run is kept",
        str(30 * DAY_SECONDS),
        unit="seconds",
    )
    log_retention_seconds: float = _setting(
        read.seconds(60, 36_500 * DAY_SECONDS),
        "how long the log of a finished run is kept; it goes with the run, if that goes earlier",
        str(30 * DAY_SECONDS),
        unit="seconds",
    )
    dead_letter_retention_seconds: float = _setting(
        read.seconds(0, 36_500 * DAY_SECONDS),
        "how long a dead letter that nobody deals with stays in the queue, and its run with it; "
        "0: for ever",
        str(90 * DAY_SECONDS),
        unit="seconds",
    )
    incident_retention_seconds: float = _setting(
        read.seconds(60, 36_500 * DAY_SECONDS),
        "how long an incident that is over is kept, with its timeline and its alerts",
        str(100 * DAY_SECONDS),
        unit="seconds",
    )
    metrics_retention_seconds: float = _setting(
        read.seconds(3600, 36_500 * DAY_SECONDS), "measures kept for", "7776000", unit="seconds"
    )
    google_run_endpoint: str = _setting(
        read.safe_url, "where Cloud Run's API is asked; empty: at Google", "", unit="URL"
    )
    google_logging_endpoint: str = _setting(
        read.safe_url,
        "where Cloud Logging's API is asked; empty: at Google, or where Cloud Run's API is asked, "
        "if that is on this machine",
        "",
        unit="URL",
    )
    google_log_late_seconds: float = _setting(
        read.seconds(0, 300),
        "how late a line of a run at Google may reach Cloud Logging and still have its place in "
        "its log: so far behind are logs that are followed, and so long the end of a failed "
        "attempt waits for its lines at most",
        "10",
        unit="seconds",
    )
    otlp_endpoint: str = _setting(read.url, "OTLP/HTTP collector; empty: none", "", unit="URL")
    approval_seconds: float = _setting(
        read.seconds(1, 90 * DAY_SECONDS), "wait of a change for people", "86400", unit="seconds"
    )
    undelete_seconds: float = _setting(
        read.seconds(0, 365 * DAY_SECONDS), "undo of a deletion until", "604800", unit="seconds"
    )
    manifest_bytes_max: int = _setting(
        read.byte_size(KIB, 64 * MIB), "size of one manifest file that is read", "1Mi", unit="bytes"
    )
    request_bytes_max: int = _setting(
        read.byte_size(KIB, 1024 * MIB), "size of a request that is read", "8Mi", unit="bytes"
    )
    launch_tries_max: int = _setting(
        read.number(1, 1000),
        "tries of one launch before it is given up and the run is dead; 60 take about 54 minutes",
        "60",
        unit="tries",
    )
    safety_poll_seconds: float = _setting(
        read.seconds(0.05, 3600),
        "how often a loop looks by itself, in case a wake-up was lost",
        "5",
        unit="seconds",
    )
    engine_lease_seconds: float = _setting(
        read.seconds(1, 3600), "how long an engine may give no sign of life", "30", unit="seconds"
    )
    shutdown_grace_seconds: float = _setting(
        read.seconds(0, 3600),
        "how long a stopping server lets requests and loops finish; tasks go on running",
        "10",
        unit="seconds",
    )
    oidc_issuers: tuple[str, ...] = _setting(
        read.issuers,
        "issuers whose ID tokens the API accepts, such as https://accounts.google.com",
        "",
        unit="URLs, separated by commas",
    )
    oidc_audiences: tuple[str, ...] = _setting(
        read.words,
        "whom such a token must be for (aud): client ids that are yours",
        "",
        unit="words, separated by commas",
    )
    oidc_roles: str = _setting(
        read.roles,
        "who gets which role by such a token: ADDRESS, @DOMAIN or sub:SUBJECT, =ROLE, @ENVIRONMENT",
        "",
        unit="rules, separated by commas",
    )
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def load(environ: Mapping[str, str] | None = None, machine: Machine | None = None) -> Config:
        """The settings that `environ` (default: the process's own) and the file ask for.

        Raises ConfigError with every fault found.
        """
        given = os.environ if environ is None else environ
        values, sources = found(SETTINGS, given, machine or here())
        return Config(**values, sources=sources)

    @property
    def default_region(self) -> str:
        """Where a job runs that names no region."""
        return self.regions[0]

    def rows(self) -> list[SettingRow]:
        """Every setting in force, in the order of the declarations."""
        return [
            SettingRow(
                name=name,
                value=HIDDEN if setting.secret and getattr(self, name) else _as_text(self, name),
                unit=setting.unit,
                source=self.sources.get(name, "default"),
                meaning=setting.meaning,
                env=PREFIX + name.upper(),
                default=setting.default_words or str(setting.default),
            )
            for name, setting in SETTINGS.items()
        ]

    def __repr__(self) -> str:
        shown = ", ".join(f"{row.name}={row.value!r}" for row in self.rows())
        return f"Config({shown})"


def _declared(config_fields: tuple[Field[Any], ...]) -> dict[str, Setting]:
    return {one.name: one.metadata["setting"] for one in config_fields if "setting" in one.metadata}


SETTINGS: Mapping[str, Setting] = MappingProxyType(_declared(fields(Config)))


def _as_text(config: Config, name: str) -> str:
    value = getattr(config, name)
    if isinstance(value, tuple):
        return ",".join(value)
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
