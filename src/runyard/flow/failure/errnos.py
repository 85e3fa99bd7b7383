"""Errors of the operating system by name and number, as every language passes them on. Pure.

Names: POSIX `errno.h` with what Linux adds (`errno(3)`), Winsock's with `WSA` before them, and the
few that Node has of its own (https://nodejs.org/api/errors.html#common-system-errors). Numbers:
Linux's (`asm-generic/errno.h`), beside them those of macOS for sockets (54 to 65) and of Winsock
(10048 to 11004), which mean nothing else that fails a job. Kinds: Rust's `std::io::ErrorKind`.
"""

from __future__ import annotations

from runyard.flow.failure.saying import (
    CANCELLED,
    CAPACITY,
    DISK,
    MEMORY,
    NETWORK,
    PERMISSION,
    PLATFORM,
    Meaning,
    codes,
    listed,
)

NAMES: dict[str, Meaning] = {
    **listed(PERMISSION, "EACCES EPERM EROFS"),
    **listed(CAPACITY, "EAGAIN EMFILE ENFILE ENOBUFS EUSERS"),
    **listed(MEMORY, "ENOMEM"),
    **listed(DISK, "ENOSPC EDQUOT EFBIG"),
    **listed(PLATFORM, "ESTALE"),
    **listed(CANCELLED, "ECANCELED"),
    **listed(
        NETWORK,
        "EADDRNOTAVAIL ECOMM ECONNABORTED ECONNREFUSED ECONNRESET EHOSTDOWN EHOSTUNREACH"
        " ENETDOWN ENETRESET ENETUNREACH ENOLINK ENONET ENOTCONN EPIPE EPROTO EREMOTEIO"
        " ESHUTDOWN ETIME ETIMEDOUT ENOTFOUND EAI_AGAIN EAI_FAIL EAI_NONAME EAI_NODATA"
        " ESOCKETTIMEDOUT ECONNECTION ESOCKET",
    ),
}
NUMBERS: dict[str, Meaning] = {
    **listed(PERMISSION, "1 13 30 10013"),
    **listed(CAPACITY, "11 23 24 105 10024 10055"),
    **listed(MEMORY, "12"),
    **listed(DISK, "27 28 122"),
    **listed(PLATFORM, "116"),
    **listed(CANCELLED, "125"),
    **listed(
        NETWORK,
        "32 54 57 60 61 62 64 65 67 99 100 101 102 103 104 107 108 110 111 112 113 121"
        " 10049 10050 10051 10052 10053 10054 10057 10058 10060 10061 10064 10065"
        " 11001 11002 11003 11004 -2 -3 -5",
    ),
}
KINDS: dict[str, Meaning] = {
    **listed(
        NETWORK,
        "ConnectionRefused ConnectionReset ConnectionAborted NotConnected AddrNotAvailable"
        " HostUnreachable NetworkUnreachable NetworkDown BrokenPipe TimedOut UnexpectedEof",
    ),
    **listed(PERMISSION, "PermissionDenied ReadOnlyFilesystem"),
    **listed(DISK, "StorageFull FileTooLarge"),
    **listed(MEMORY, "OutOfMemory"),
    **listed(CAPACITY, "WouldBlock"),
    **listed(CANCELLED, "Interrupted"),
}
ERRNOS = (
    codes("errno", r"\b(?:WSA)?(E[A-Z_]{2,14})\b", NAMES),
    codes(
        "errno",
        r"\[(?:Errno|WinError) (-?\d{1,5})\]|\(os error (\d{1,5})\)|\berror=(\d{1,3}), [A-Z]"
        r"|(?i:\berrno)\"? ?[:=] ?-?(\d{2,5})\b|\bSocketException \((\d{3})\)"
        r"|\bOs \{ code: (\d{1,5}),",
        NUMBERS,
    ),
    codes("kind", r"\bkind: (\w{5,30})", KINDS),
)
