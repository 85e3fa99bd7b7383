"""Where the server is, and the token it takes: from the settings, else from the state folder.

A server writes `server.json` and `token` into its state folder, so that a person on the same
machine types neither. The token of the state folder goes only to the server of that folder:
with `RUNYARD_URL` set to another one, `RUNYARD_TOKEN` has to be set too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runyard.cli.client import Client, not_running
from runyard.cli.session import SESSION
from runyard.cli.surroundings import settings
from runyard.model.errors import ConfigError, PermissionDenied

SERVER_FILE = "server.json"
TOKEN_FILE = "token"  # noqa: S105  # the file's name


@dataclass(frozen=True, slots=True)
class ServerFile:
    """What a running server says of itself in its state folder."""

    url: str
    pid: int
    started_at: str = ""
    version: str = ""


def server_file(folder: Path) -> ServerFile | None:
    """What `server.json` says, None when there is none (or only half of one)."""
    try:
        document = json.loads((folder / SERVER_FILE).read_text())
        return ServerFile(
            url=_checked(str(document["url"])),
            pid=int(document["pid"]),
            started_at=str(document.get("started_at", "")),
            version=str(document.get("version", "")),
        )
    except PermissionError as error:
        raise _not_readable(folder / SERVER_FILE) from error
    except (OSError, ValueError, OverflowError, KeyError, TypeError):
        return None


def _checked(url: str) -> str:
    """`url`, ValueError when it leads nowhere: a server of ours has not written it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.port:
        raise ValueError(url)
    return url


def connect() -> Client:
    """A client of the server in force. `ServerUnavailable` when none has been started."""
    config = settings()
    found = server_file(config.state_folder)
    url = (config.url or (found.url if found else "")).rstrip("/")
    if not url:
        raise not_running(f"no server is running (none is noted in {config.state_folder})")
    if config.token:
        return _kept(Client(url, config.token))
    if found and found.url.rstrip("/") == url:
        if not Path(f"/proc/{found.pid}").exists():
            # Whoever listens at its port now is a stranger, who shall not be shown the token.
            raise not_running(f"the server noted in {config.state_folder} has ended")
        return _kept(Client(url, _token(config.state_folder)))
    raise ConfigError(
        f"no token for the server at {url}",
        hint="set RUNYARD_TOKEN; the token in the state folder is only for the server of that "
        "folder",
    )


def _kept(client: Client) -> Client:
    SESSION.get().closing.callback(client.close)
    return client


def _token(folder: Path) -> str:
    path = folder / TOKEN_FILE
    try:
        token = path.read_text("ascii").strip()
    except PermissionError as error:
        raise _not_readable(path) from error
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token.isprintable() or not token:
        raise ConfigError(
            f"there is no token in {path}",
            hint="put it back; or remove the file, then `runyard down` and `runyard up`, which "
            "makes a new one",
        )
    return token


def _not_readable(path: Path) -> PermissionDenied:
    return PermissionDenied(
        f"{path} is not yours to read",
        hint="be the user who started the server, or set RUNYARD_URL and RUNYARD_TOKEN",
    )
