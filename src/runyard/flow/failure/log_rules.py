"""What a line of a log says of a failure: one table, the first rule that finds its words wins.

The more a rule knows the earlier it stands: names of errors of systems and drivers first, then
status codes, then words that many programs use. The words are those of the programs' own sources
(libc's and Node's errno names, CPython's, OpenJDK's, Go's and Ruby's exceptions, PostgreSQL's and
MySQL's messages, gRPC's and Google's status names), found in the failure texts that
`tests/support/failure_texts.py` tells of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runyard.model.failure import FailureClass, Shortage

F, S = FailureClass, Shortage


@dataclass(frozen=True, slots=True)
class LogRule:
    """Lines in which `pattern` is found speak of a failure of this class."""

    name: str
    failure_class: FailureClass
    pattern: re.Pattern[str]
    shortage: Shortage | None = None


def _rule(
    name: str, failure_class: FailureClass, *words: str, shortage: Shortage | None = None
) -> LogRule:
    return LogRule(name, failure_class, re.compile("|".join(words), re.IGNORECASE), shortage)


# fmt: off
_CANNOT = r"(?:could ?n[o']t|can ?n[o']t|can't|unable to|failed to|failure to)"
SPECIFIC: tuple[LogRule, ...] = (
    _rule("memory", F.RESOURCE,
          r"OutOfMemory(?:Error|Exception)", r"heap out of memory", r"\b(?:\w*Array)?MemoryError\b",
          r"NoMemoryError", r"std::bad_alloc", r"cannot allocate memory", r"\bENOMEM\b",
          r"OOM-?Kill", r"memory limit of .{1,20} exceeded",
          r"unable to allocate [\d.]+ ?[KMGT]i?B",
          r"^killed(?: +\S+)?$", r": +(?:\d+ )?killed\b", r"allowed memory size of \d+ bytes",
          r"(?:exit(?:ed)?|status|code|returned)\W{1,3}(?:with )?(?:code |status )?(?:137|-9)\b",
          r"signal:? (?:9\b|killed|SIGKILL)", r"\bSIGKILL\b", r"shared memory",
          r"(?:insufficient|not enough) (?:\w+ )?memory", r"GC overhead limit",
          r"(?:exceed(?:ed|ing|s)|over) (?:the |its )?memory limit",
          r"memory limit (?:is |was )?exceeded", r"ran out of memory", r"memory exhausted",
          r"\bout of memory\b", r"\bOOM\b", shortage=S.MEMORY),
    _rule("disk", F.RESOURCE,
          r"no space left", r"\bENOSPC\b", r"disk quota exceeded", r"\bEDQUOT\b",
          r"disk (?:is )?full", r"out of disk",
          r"(?:not enough|insufficient) (?:free |disk )?space",
          r"SQLITE_FULL", r"unable to extend", shortage=S.DISK),
    _rule("task timeout", F.TIMEOUT, r"the configured timeout was reached"),
    _rule("statement timeout", F.TIMEOUT,
          r"due to (?:statement|lock|idle\S*) timeout", r"lock wait timeout exceeded",
          r"maximum statement execution time exceeded", r"timeout period elapsed"),
    _rule("statement cancelled", F.CANCELLED, r"canceling statement due to user request"),
    _rule("pool of connections", F.RESOURCE,
          r"could not obtain a (?:database )?connection", r"QueuePool limit", r"PoolTimeout",
          r"pool (?:is )?(?:exhausted|full|timed out)", r"pooled connections", shortage=S.CAPACITY),
    _rule("name resolution", F.NETWORK,
          r"getaddrinfo", r"\bgaierror\b", r"\bENOTFOUND\b", r"\bEAI_AGAIN\b", r"name resolution",
          r"name or service not known", r"nodename nor servname", r"no such host\b",
          r"UnknownHost", _CANNOT + r" (?:be )?(?:resolved?|translate|look up)\b",
          r"NameResolutionError", r"no address associated with", r"server misbehaving"),
    _rule("tls", F.NETWORK,
          r"certificate[ _]verify[ _]failed", r"\bx509: ", r"\bcertificate (?:is |has )?\w+ ?trust",
          r"unable to (?:get local issuer|verify the first) certificate",
          r"self[- ]signed certificate", r"PKIX path", r"certificate (?:has )?expired",
          r"SSLHandshake", r"handshake[ _](?:failure|failed|timeout)", r"TLS handshake",
          r"\bSSL\w*Error\b", r"wrong version number", r"unexpected[ _]eof", r"SELF_SIGNED",
          r"CERT_HAS_EXPIRED"),
    _rule("connection refused", F.NETWORK,
          r"connection refused", r"\bECONNREFUSED\b", r"ConnectionRefused", r"actively refused it"),
    _rule("connection lost", F.NETWORK,
          r"connection reset", r"\bECONNRESET\b", r"ConnectionReset", r"socket hang up",
          r"\bEPIPE\b", r"broken ?pipe", r"\bECONNABORTED\b",
          r"connection (?:aborted|dropped|lost|terminated|closed|error|failure)",
          r"RemoteDisconnected", r"ServerDisconnected", r"remote end closed",
          r"(?:peer|server|host) (?:unexpectedly )?(?:closed|dropped|disconnected)",
          r"connection (?:was|has been) (?:closed|lost|reset|terminated|forcibly)",
          r"server has gone away", r"lost connection to", r"SSL SYSCALL error: (?:connection|EOF)",
          r"terminating connection due to", r"(?:bad|invalid) connection", r": EOF$",
          r"ChunkedEncodingError", r"IncompleteRead", r"UnexpectedEof",
          r"Incomplete(?:Body|Message)", r"incomplete read", r"premature (?:close|end)",
          r"communications link failure", r"kex_exchange_identification", r"SSH protocol banner",
          r"the database system is (?:starting|shutting|in recovery)"),
    _rule("no way to the peer", F.NETWORK,
          r"network is (?:unreachable|down)", r"no route to host", r"host is down",
          r"\bE(?:HOST|NET)(?:UNREACH|DOWN)\b", r"failed to connect to all addresses",
          r"failed to establish a new connection", r"max retries exceeded with url",
          r"\bProxyError\b", r"cURL error (?:5|6|7|28|35|52|56)\b", r"net::ERR_", r"ERR_CONNECTION",
          r"curl: \((?:5|6|7|28|35|52|56)\)", r"ServerSelection\w*Error",
          r"ApiVersionRequest failed",
          r"broker (?:transport|not available|down)", r"NoBrokersAvailable",
          r"network (?:error|failure)", r"fetch failed", r"error sending request",
          _CANNOT + r" (?:connect|reach|contact|open (?:a )?connection)\b",
          r"was unable to connect",
          r"cannot assign requested address"),
    _rule("no answer from the peer", F.NETWORK,
          r"\bETIMEDOUT\b", r"connect(?:ion)?(?: attempt)? timed out", r"connect(?:ion)? timeout",
          r"Connect(?:ion)?Timeout", r"\bi/o timeout\b", r"read(?:ing)? timed out",
          r"Read-?Timeout", r"Net::(?:Open|Read|Write)Timeout", r"Socket-?Timeout",
          r"(?:Http)?Client\.Timeout", r"Local: Timed out", r"Errno 110\]", r"SOCKETTIMEDOUT",
          r"(?:request|response|server|operation) (?:has )?time(?:d ?|-)?out", r"ServerTimeout",
          r"APITimeout", r"timeout of \d+ ?m?s exceeded", r"HeadersTimeout", r"CONNECT_TIMEOUT",
          r"timeout awaiting response", r"waiting for (?:a )?(?:connection|response)"),
    _rule("database room", F.RESOURCE,
          r"too many clients", r"remaining connection slots", r"too many (?:\w+ )?connections",
          r"max_user_connections", shortage=S.CAPACITY),
    _rule("database login", F.PERMISSION,
          r"password authentication failed", r"no pg_hba\.conf entry", r"access denied for user",
          r"log(?:in|on) (?:failed|denied|incorrect)", r"exception authenticating",
          r"authentication (?:error|failed|failure|required)", r"unable to authenticate",
          r"ORA-01017", r"\bNOAUTH\b", r"\bWRONGPASS\b", r"no password supplied",
          r"(?:wrong|incorrect) password", r"SQLSTATE\[(?:28000|42501)\]"),
    _rule("quota", F.RESOURCE,
          r"RESOURCE_?EXHAUSTED", r"resource (?:has been )?exhausted", r"quota[ _]?exceeded",
          r"quota metric", r"exceed(?:s|ed)? (?:your |the )?(?:\w+ )?quota", r"rate[ _-]?limit",
          r"too many (?:requests|operations)", r"TooMany(?:Requests|Operations)",
          r"Throttl(?:ed|ing)", r"rate exceeded", r"\bSlowDown\b", r"LimitExceeded",
          r"insufficient[ _](?:capacity|quota|tokens)", r"greater capacity", r"increase in quota",
          r"operations? quota", shortage=S.CAPACITY),
    _rule("processes and files", F.RESOURCE,
          r"too many open files", r"\bE[MN]FILE\b", r"can't start new thread", r"cannot fork",
          r"(?:fork|pthread_create|spawn).{0,80}resource temporarily unavailable",
          r"unable to create (?:new )?native thread", shortage=S.CAPACITY),
    _rule("credentials", F.PERMISSION,
          r"invalid_grant", r"\w*Credentials\w*(?:Error|Exception)", r"RefreshError",
          r"could not (?:find|load|automatically determine) (?:the )?(?:default )?credentials",
          r"unable to locate credentials", r"NoCredentials", r"NoAuthHandlerFound",
          r"ExpiredToken", r"InvalidClientTokenId", r"InvalidAccessKeyId", r"SignatureDoesNotMatch",
          r"(?:bad|invalid)[ -]credentials", r"(?:invalid|incorrect|missing) api[ _]?key",
          r"token (?:has |is )?(?:been )?(?:expired|revoked|invalid|required)",
          r"invalid (?:user ?name|password|login|token)\b", r"host key verification failed",
          r"InvalidToken", r"\bUNAUTHENTICATED\b", r"\bunauthorized",
          r"\bAuth\w*(?:Error|Exception)\b",
          r"could not read Username"),
    _rule("access", F.PERMISSION,
          r"PERMISSION_?DENIED", r"permission denied", r"permission '[^']{1,100}' denied",
          r"\bEACCES\b", r"\bEPERM\b", r"\bPermissionError\b", r"operation not permitted",
          r"access[ _]?(?:is )?denied", r"not authorized", r"\bforbidden\b", r"is not writable",
          r"(?:does|do) not have .{1,100}(?:access|permission|privilege)",
          r"required to have .{1,40}access",
          r"insufficient[ _](?:\w+ )?(?:permission|privilege|scope)",
          r"(?:lacks?|missing|no) .{0,40}(?:permission|privilege)", r"read-only file system",
          r"must be owner of", r"AuthorizationFail", r"unable to assume the role",
          r"not (?:allowed|permitted) to", r"account .{0,40}(?:locked|disabled|suspended)"),
    _rule("deadline", F.TIMEOUT,
          r"deadline[ _]?(?:of .{1,20} )?exceeded", r"TimeoutExpired",
          r"\basyncio\S*TimeoutError\b",
          r"\bSoftTimeLimitExceeded\b", r"execution expired", r"gateway time-?out",
          r"\w*TimeoutException", r"time limit (?:was )?(?:exceeded|reached)", r"timed out after",
          r"\w*TimeoutError\b", r"exceeded (?:the )?time ?(?:limit|out)"),
    _rule("a client of the network", F.NETWORK,
          r"\w*(?:Connect|Connection|Connector|Socket|Network|Transport)(?:Error|Exception|Failure"
          r"|Failed|Closed|Lost)\b", r"RemoteProtocolError", r"AutoReconnect"),
    _rule("called off", F.CANCELLED,
          r"context cancell?ed", r"code = Cancell?ed", r"^KeyboardInterrupt\b", r"CancelledError",
          r"StatusCode\.CANCELLED", r"\bCANCELLED: ", r"operation was cancell?ed",
          r"\bSIG(?:TERM|INT)\b", r"cancell?ed by", r"aborted by user"),
    _rule("provider's fault", F.PLATFORM,
          r"backend ?error", r"Internal(?:Server)?(?:Error|Failure)", r"internal error",
          r"an internal error has occurred", r"service ?unavailable", r"bad gateway", r"\bGOAWAY\b",
          r"(?:service|server) is (?:currently |temporarily )?unavailable",
          r"transport (?:is )?clos(?:ed|ing)", r"overloaded", r"internal_failure",
          r"temporarily unavailable", r"no healthy upstream", r"upstream connect error",
          r"internal server error"),
    _rule("fault of the program", F.APPLICATION,
          r"^panic: ", r"\bpanicked at\b", r"segmentation fault",
          r"\b(?:Type|Key|Index|Name|Attribute|Assertion|Syntax|Reference|Range|ZeroDivision|Import"
          r"|ModuleNotFound|FileNotFound|Unicode(?:De|En)code|NoMethod|Argument|Recursion|Value"
          r"|NotImplemented|JSONDecode|Indentation|UnboundLocal|Integrity|Programming|Data|Parser"
          r"|Validation)(?:Error|Exception)\b",
          r"\b(?:NullPointer|IllegalState|IllegalArgument|ClassCast|IndexOutOfBounds|NoSuchElement"
          r"|NumberFormat|ClassNotFound|NoSuchMethod|StackOverflow|ConcurrentModification"
          r"|UnsupportedOperation|NullReference|InvalidOperation)(?:Exception|Error)\b",
          r"undefined method", r"exec format error", r"executable file not found",
          r"command not found", r"no such file or directory", r"\bENOENT\b", r"cannot find module",
          r"duplicate key", r"violates .{1,40}constraint", r"deadlock (?:detected|found)",
          r"(?:relation|table|column|database) .{1,100} (?:does not exist|already exists)",
          r"syntax error", r"invalid data"),
)
#: Words that only count in a line that tells of an error, where nothing better was found.
WEAK: tuple[LogRule, ...] = (
    _rule("words of access", F.PERMISSION,
          r"\bdenied\b", r"credential", r"authenticat", r"authoriz", r"access token",
          r"\bpermissions?\b"),
    _rule("words of memory", F.RESOURCE, r"\bmemory\b", r"\boom\b", shortage=S.MEMORY),
    _rule("words of quota", F.RESOURCE,
          r"\bquotas?\b", r"limit (?:was |is )?(?:exceeded|reached)", r"\bthrottl",
          shortage=S.CAPACITY),
    _rule("words of networks", F.NETWORK,
          r"\bconnect(?:ion|ing|ed)?\b", r"\bnetwork\b", r"\bsocket\b", r"unreachable",
          r"\bdns\b", r"\bproxy\b", r"disconnected", r"\bEOFError\b"),
    _rule("words of time", F.TIMEOUT, r"time[d ]?-?out", r"\bdeadline\b", r"took too long"),
    _rule("words of servers", F.PLATFORM,
          r"unavailable", r"try again later", r"internal (?:server )?error", r"server error"),
    _rule("words of an end", F.CANCELLED,
          r"\bcancell?ed\b", r"\binterrupted\b", r"shutdown signal", r"aborted by"),
)
# fmt: on
ERROR = re.compile(
    r"error|fail|fatal|exception|unable|could not|couldn't|cannot|can't|panic|abort|refus|critical",
    re.IGNORECASE,
)  #: a line that tells of an error
#: A line of a stack, or of the source beside it: it names what was called, not what went wrong.
FRAME = re.compile(
    r"^\s*(?:at [\w$.<]|File \"|from /|\d+: 0x|#\d+ +0x|\.\.\. \d+ more|const |let |var |return "
    r"|import |raise |throw |\d+[▕|│])"
)
