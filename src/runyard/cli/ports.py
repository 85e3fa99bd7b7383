"""Is a TCP port free, and if not, who holds it (as far as /proc tells this user)."""

from __future__ import annotations

import socket
from pathlib import Path

from runyard.model.errors import Fault, InvalidSpec, ServerUnavailable

PORT_MAX = 65_535
_LISTENING = "0A"  # include/net/tcp_states.h: TCP_LISTEN
_PROC = Path("/proc")


def check(asked: str, host: str, port: int) -> None:
    """Raises InvalidSpec where there is no such port, and ServerUnavailable where it is not free.
    `asked` is the command and its option that name it, such as `up --port`."""
    if not 0 <= port <= PORT_MAX:
        option = asked.rpartition(" ")[2]
        fault = Fault(option, str(port), f"0 to {PORT_MAX}; 0 takes a free one")
        raise InvalidSpec("there is no such port", faults=(fault,))
    if is_free(host, port):
        return
    held = holder(port)
    by = f" by {held}" if held else ", or not ours to use"
    raise ServerUnavailable(
        f"port {port} on {host} is in use{by}",
        hint=f"take another: `runyard {asked} {port + 1 if port < PORT_MAX else 0}`",
    )


def is_free(host: str, port: int) -> bool:
    """True when a server could listen there now. Port 0 always is."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            # As servers do: a port whose last connections are still closing counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """`nginx (pid 77)`, or nothing when that cannot be known."""
    inodes = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in _rows(_PROC / "net" / table)
        if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port
    }
    links = {f"socket:[{inode}]" for inode in inodes}
    for process in _PROC.glob("[0-9]*"):
        if links and _holds(process, links):
            return f"{_name(process)} (pid {process.name})"
    return ""


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []


def _holds(process: Path, links: set[str]) -> bool:
    try:
        return any(str(file.readlink()) in links for file in (process / "fd").iterdir())
    except OSError:  # another user's, or gone meanwhile
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
