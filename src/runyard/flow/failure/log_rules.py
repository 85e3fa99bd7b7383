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
SPECIFIC: tuple[LogRule, ...] = (
    _rule("memory", F.RESOURCE,
          r"OutOfMemory(?:Error|Exception)", r"heap out of memory", r"\b(?:\w*Array)?MemoryError\b",
          r"NoMemoryError", r"std::bad_alloc", r"cannot allocate memory", r"\bENOMEM\b",
          r"OOM-?Kill", r"memory limit of .{1,20} exceeded", r"unable to allocate [\d.]+ ?[KMGT]i?B",
          r"^killed(?: +\S+)?$",
          r"allowed memory size of \d+ bytes exhausted", r"exited with code 137\b",
          r"exit (?:code|status):? 137\b", r"signal: killed", r"out of shared memory",
          r"(?:insufficient|not enough) (?:\w+ )?memory", r"GC overhead limit",
          r"(?:exceeded|over) (?:the |its )?memory limit", r"memory limit (?:is |was )?exceeded",
          r"ran out of memory", r"memory exhausted", r"\bout of memory\b", shortage=S.MEMORY),
    _rule("disk", F.RESOURCE,
          r"no space left on device", r"\bENOSPC\b", r"disk quota exceeded", r"\bEDQUOT\b",
          r"disk (?:is )?full", r"not enough (?:free |disk )?space", r"insufficient (?:disk )?space",
          shortage=S.DISK),
    _rule("task timeout", F.TIMEOUT, r"the configured timeout was reached"),
    _rule("statement timeout", F.TIMEOUT,
          r"due to (?:statement|lock|idle\S*) timeout", r"lock wait timeout exceeded",
          r"maximum statement execution time exceeded"),
    _rule("statement cancelled", F.CANCELLED, r"canceling statement due to user request"),
    _rule("name resolution", F.NETWORK,
          r"getaddrinfo", r"\bgaierror\b", r"\bENOTFOUND\b", r"\bEAI_AGAIN\b", r"name resolution",
          r"name or service not known", r"nodename nor servname", r"no such host\b",
          r"UnknownHostException", r"could not (?:resolve|translate) host", r"NameResolutionError",
          r"no address associated with hostname", r"unable to resolve host", r"server misbehaving"),
    _rule("tls", F.NETWORK,
          r"certificate[ _]verify[ _]failed", r"\bx509: ", r"SSLCertVerificationError",
          r"unable to (?:get local issuer|verify the first) certificate",
          r"self[- ]signed certificate", r"PKIX path", r"certificate has expired",
          r"SSLHandshakeException", r"handshake[ _]failure", r"TLS handshake", r"\bSSLError\b",
          r"ssl3?_get_record", r"wrong version number", r"unexpected[ _]eof[ _]while[ _]reading",
          r"DEPTH_ZERO_SELF_SIGNED"),
    _rule("connection refused", F.NETWORK,
          r"connection refused", r"\bECONNREFUSED\b", r"ConnectionRefusedError",
          r"actively refused it"),
    _rule("connection lost", F.NETWORK,
          r"connection reset", r"\bECONNRESET\b", r"ConnectionResetError", r"socket hang up",
          r"\bEPIPE\b", r"broken pipe", r"\bECONNABORTED\b", r"connection aborted",
          r"RemoteDisconnected", r"remote end closed", r"server closed the connection",
          r"connection (?:was|has been) closed", r"server has gone away", r"lost connection to",
          r"SSL SYSCALL error: (?:connection|EOF)", r"terminating connection due to",
          r"(?:http|net|read|post|get) .{0,200}: EOF$", r"ChunkedEncodingError", r"IncompleteRead",
          r"communications link failure", r"connection (?:was )?terminated", r"UnexpectedEof",
          r"Incomplete(?:Body|Message)", r"incomplete read", r"connection closed",
          r"premature (?:close|end)", r"the database system is (?:starting|shutting)"),
    _rule("no way to the peer", F.NETWORK,
          r"network is unreachable", r"no route to host", r"\bE(?:HOST|NET)UNREACH\b",
          r"failed to connect to all addresses", r"failed to establish a new connection",
          r"max retries exceeded with url", r"\bProxyError\b", r"cURL error (?:5|6|7|28|35|52|56)\b",
          r"curl: \((?:5|6|7|28|35|52|56)\)", r"ServerSelection\w*Error", r"ApiVersionRequest failed",
          r"broker (?:transport|not available|down)", r"NoBrokersAvailable",
          r"net::ERR_", r"connection error", r"network (?:error|failure)", r"fetch failed",
          r"error sending request", r"(?:could not|cannot|can't|unable to|failed to) connect\b",
          r"(?:Host|Server)Unreachable", r"cannot assign requested address", r"can(?:'|no)t connect to (?:\w+ )*server"),
    _rule("no answer from the peer", F.NETWORK,
          r"\bETIMEDOUT\b", r"connect(?:ion)?(?: attempt)? timed out", r"connect(?:ion)? timeout",
          r"ConnectTimeout", r"\bi/o timeout\b", r"read timed out", r"Read-?Timeout",
          r"Net::(?:Open|Read|Write)Timeout", r"SocketTimeoutException",
          r"(?:Http)?Client\.Timeout", r"Local: Timed out", r"ConnectionTimeout", r"Errno 110\]", r"ESOCKETTIMEDOUT"),
    _rule("database room", F.RESOURCE,
          r"too many clients", r"remaining connection slots", r"too many connections",
          shortage=S.CAPACITY),
    _rule("database login", F.PERMISSION,
          r"password authentication failed", r"no pg_hba\.conf entry", r"access denied for user",
          r"login failed", r"authentication (?:error|failed|failure|required)", r"exception authenticating",
          r"unable to authenticate", r"ORA-01017", r"\bNOAUTH\b", r"\bWRONGPASS\b", r"role .{1,80} is not permitted"),
    _rule("quota", F.RESOURCE,
          r"RESOURCE_?EXHAUSTED", r"resource (?:has been )?exhausted", r"quota[ _]?exceeded",
          r"quota metric", r"exceed(?:s|ed)? (?:your |the )?(?:current )?quota", r"rate[ _]?limit",
          r"too many requests", r"Throttl(?:ed|ing)", r"rate exceeded", r"\bSlowDown\b",
          r"RateLimitError", r"insufficient[ _](?:capacity|quota)", r"greater capacity",
          r"increase in quota", shortage=S.CAPACITY),
    _rule("processes and files", F.RESOURCE,
          r"too many open files", r"\bEMFILE\b", r"can't start new thread",
          r"(?:fork|pthread_create|spawn).{0,80}resource temporarily unavailable",
          r"unable to create (?:new )?native thread", shortage=S.CAPACITY),
    _rule("credentials", F.PERMISSION,
          r"invalid_grant", r"DefaultCredentialsError", r"RefreshError",
          r"could not (?:find|load|automatically determine) (?:the )?(?:default )?credentials",
          r"unable to locate credentials", r"NoCredentials", r"NoAuthHandlerFound",
          r"ExpiredToken", r"InvalidClientTokenId", r"InvalidAccessKeyId", r"SignatureDoesNotMatch",
          r"(?:bad|invalid)[ -]credentials", r"invalid (?:user ?name|password|login|token)\b",
          r"host key verification failed", r"permission denied \(publickey", r"InvalidToken", r"(?:invalid|incorrect|missing) api[ _]?key",
          r"token (?:has|is) expired", r"\bUNAUTHENTICATED\b", r"\bunauthorized\b"),
    _rule("access", F.PERMISSION,
          r"PERMISSION_?DENIED", r"permission denied", r"permission '[^']{1,100}' denied",
          r"\bEACCES\b", r"\bEPERM\b", r"\bPermissionError\b", r"operation not permitted",
          r"access[ _]?denied", r"not authorized", r"\bforbidden\b", r"is not writable",
          r"does not have .{1,100}(?:access|permission)", r"required to have .{1,40}access",
          r"insufficient (?:\w+ )?(?:permission|privilege|scope)", r"read-only file system",
          r"must be owner of", r"unable to assume the role", r"not (?:allowed|permitted) to", r"AuthorizationFail"),
    _rule("deadline", F.TIMEOUT,
          r"deadline[ _]?(?:of .{1,20} )?exceeded", r"TimeoutExpired", r"\basyncio\S*TimeoutError\b",
          r"\bSoftTimeLimitExceeded\b", r"execution expired", r"gateway time-?out",
          r"TimeoutException", r"time limit (?:was )?(?:exceeded|reached)", r"timed out after",
          r"\bTimeoutError\b", r"exceeded (?:the )?time ?(?:limit|out)"),
    _rule("called off", F.CANCELLED,
          r"context cancell?ed", r"code = Cancell?ed", r"^KeyboardInterrupt\b", r"CancelledError",
          r"StatusCode\.CANCELLED", r"\bCANCELLED: ", r"operation was cancell?ed",
          r"received (?:signal )?SIG(?:TERM|INT)"),
    _rule("provider's fault", F.PLATFORM,
          r"backend ?error", r"InternalServerError", r"internal error encountered",
          r"an internal error has occurred", r"ServiceUnavailable", r"service (?:is )?unavailable",
          r"bad gateway", r"temporarily unavailable", r"\bGOAWAY\b", r"transport (?:is )?clos(?:ed|ing)", r"overloaded",
          r"internal_failure"),
    _rule("fault of the program", F.APPLICATION,
          r"^panic: ", r"\bpanicked at\b", r"segmentation fault", r"Traceback is not available",
          r"\b(?:Type|Key|Index|Name|Attribute|Assertion|Syntax|Reference|Range|ZeroDivision|Import"
          r"|ModuleNotFound|FileNotFound|Unicode(?:De|En)code|NoMethod|Argument|Recursion|Value"
          r"|NotImplemented|JSONDecode|Indentation|UnboundLocal|Integrity|Programming|Data"
          r")Error\b",
          r"\b(?:NullPointer|IllegalState|IllegalArgument|ClassCast|IndexOutOfBounds|NoSuchElement"
          r"|NumberFormat|ClassNotFound|NoSuchMethod|StackOverflow|ConcurrentModification"
          r"|UnsupportedOperation|NullReference)(?:Exception|Error)\b",
          r"undefined method", r"exec format error", r"executable file not found",
          r"command not found", r"no such file or directory", r"\bENOENT\b", r"cannot find module",
          r"duplicate key", r"violates .{1,40}constraint", r"deadlock detected",
          r"(?:relation|table|column|database) .{1,100} (?:does not exist|already exists)",
          r"syntax error"),
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
          r"\bconnect(?:ion|ing)?\b", r"\bnetwork\b", r"\bsocket\b", r"unreachable", r"\bdns\b",
          r"\bproxy\b"),
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
