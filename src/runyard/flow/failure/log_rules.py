"""What the words of a log say of a failure: the ladder of rules that a text is tried on. Pure.

The more a rule knows the earlier it stands. First come words that mislead, then codes and names of
what is short and of what is not allowed, since those stand inside wider words ("could not connect:
too many clients"); then statuses that say it by themselves, limits of time, networks; then statuses
of faults, and words that many programs use. The words are those of the programs' own sources
(libc's, Windows' and Node's names of errors, CPython's, OpenJDK's, Go's, Ruby's, PHP's, .NET's and
Rust's exceptions, OpenSSL's and Go's words for certificates, the messages of databases, brokers,
browsers, batch systems and orchestrators), and those found in the texts that
`tests/support/failure_texts.py` tells of.
"""

from __future__ import annotations

from runyard.flow.failure import codes, statuses
from runyard.flow.failure.errnos import ERRNOS
from runyard.flow.failure.network_words import NETWORKS, PEERS
from runyard.flow.failure.permission_words import PERMISSIONS
from runyard.flow.failure.resource_words import RESOURCES
from runyard.flow.failure.saying import (
    APPLICATION,
    CANCELLED,
    CAPACITY,
    MEMORY,
    NETWORK,
    PERMISSION,
    PLATFORM,
    TIMEOUT,
    Rule,
    words,
)

# fmt: off
_MISLEADING: tuple[Rule, ...] = (
    # An exception of a program's own making: what its message quotes is not what happened.
    words("fault of the program", APPLICATION,
          r"^\W{0,40}(?:\w{1,40}\.){0,6}(?:Attribute|Name|UnboundLocal|Import|ModuleNotFound"
          r"|Syntax|Indentation|NoMethod|Key|Index|Reference|ZeroDivision|JSONDecode"
          r"|UnicodeDecode|UnicodeEncode|Assertion|FileNotFound|FileExists|IsADirectory"
          r"|NotADirectory|Recursion|NotImplemented)Error\b",
          r"^\W{0,40}TypeError\b(?!: (?:fetch failed|Failed to fetch|NetworkError|terminated"
          r"|network))", r"(?<![a-z])UnboundLocalError", r"has no attribute '",
          r"ENOENT: no such file or directory", r"cannot unmarshal", r"given input columns",
          exact=True),
    # A server that is not ready yet, whatever it is busy with.
    words("a server that starts", NETWORK,
          r"loading the dataset in memory", r"\b(?:MASTER|CLUSTER)DOWN\b",
          r"the database system is (?:starting|shutting|in recovery|not yet)",
          r"server is in script upgrade mode", r"not (?:currently )?(?:master|primary)\b",
          r"NotWritablePrimary", r"StandbyException", r"\bREADONLY You can't write",
          r"read[- ]only replica", r"NotYetConnected", r"server connection dropped"),
    words("nobody reached", NETWORK,
          r"NoHostAvailable", r"configured nodes are available", r"cluster (?:is )?down\b",
          r"ClusterDown", r"All hosts? ?(?:\(s\) )?tried"),
    words("room for a pod", CAPACITY,
          r"nodes? (?:are|is) available", r"\bFailedScheduling\b", r"\bUnschedulable\b",
          r"exceeded quota:", r"was low on resource: (?!ephemeral)", r"NoResourceAvailable",
          r"\bEvicted\b.{0,40}memory"),
    words("room on a server", CAPACITY,
          r"circuit_?breaking", r"command not allowed when used memory", r"maxmemory",
          r"max number of clients", r"es_rejected_execution", r"EsRejectedExecution"),
)
_LIMITS: tuple[Rule, ...] = (
    words("task timeout", TIMEOUT,
          r"the configured timeout was reached", r"due to time limit", r"\bTIME LIMIT\b",
          r"time ?limit (?:was |has been |is )?(?:exceeded|reached)", r"TimeLimitExceeded",
          r"(?:exceed(?:ed|s|ing)?|reached|over|past) (?:\w{1,12} ){0,3}(?:time ?limit|time ?out"
          r"|deadline|run ?time|execution time|duration)", r"maximum execution time of",
          r"\btimeout \d{1,9} ?m?s exceeded", r"exceeded\. For async",
          r"(?:^\W{0,4}|: +\d{1,9} )alarm clock",
          r"DeadlineExceeded", r"active longer than", r"wall[ -]?time", r"exceeded while running",
          r"max(?:imum)? (?:\w{1,12} )?(?:run ?time|duration) (?:was |is )?(?:exceeded|reached)",
          r"Navigation timeout", r"waiting for (?:selector|locator|function|element)",
          r"ScriptTimeout", r"hook timed out", r"expired before completing",
          r"deadline (?:has |had )?(?:elapsed|passed|expired)", r"endpoint request timed out",
          r"JobTimeout", r"has been running for",
          r"did not (?:finish|complete) before .{1,20}time-?out",
          r"(?<!connection)(?<!connection )time-?out (?:has )?occurred",
          r"\bstatus\W{1,4}time(?:d[ _]?)?[ _]?out\b", r"^timeout: sending signal",
          r"max attempts exceeded"),
    words("statement timeout", TIMEOUT,
          r"due to (?:statement|lock|idle\S{0,30}|conflict) ?timeout", r"lock wait timeout",
          r"max(?:imum)?[ _](?:statement_?|execution_?|query )+(?:execution )?time",
          r"prior to completion of the operation", r"cancell?ed due to timeout",
          r"database (?:is|table is) locked", r"SQLITE_BUSY", r"execution timeout",
          r"lock (?:request )?time ?out", r"query read timeout", r"^\s*Lock Info:",
          r"could not (?:obtain|acquire|get) (?:the |a )?lock",
          r"waiting for (?:the |a )?(?:\w{1,20} )?lock", r"(?:is|are) (?:already )?locked by",
          r"MaxTimeMSExpired", r"received only \d{1,4} responses",
          r"\b(?:Read|Write)_?time_?out\b.{0,80}(?:consistency|replica)",
          r"timeout during (?:read|write|\w{1,10}) query",
          r"time(?:d )?-?out.{0,40} at consistency", r"query timed? ?out", r"QueryTimeout",
          r"SQLTimeout"),
    words("statement cancelled", CANCELLED,
          r"canceling statement due to user request", r"query execution was interrupted",
          r"(?:query|statement|job|operation) (?:was |has been |is )?(?:killed|cancell?ed by"
          r"|aborted by)"),
)
_GATEWAYS: tuple[Rule, ...] = (
    words("a gateway", PLATFORM,
          r"upstream connect error", r"no healthy upstream", r"upstream request timeout",
          r"\b(?:error|code|status)\W{1,3}52[0-7]\b", r"due to (?:node failure|preemption)",
          r"NodeLost", r"\bnode lost\b", r"host maintenance",
          r"spot (?:instance )?(?:interrupt|reclaim)", r"zombie job",
          r"(?:servers?|service|engine|model|system) (?:is|are) (?:currently "
          r"|temporarily )?overloaded", r"overloaded_error"),
)
_NOT_THERE: tuple[Rule, ...] = (
    words("something that is not there", APPLICATION,
          r"(?:relation|table|column|database|function|schema) .{1,100} (?:does not exist"
          r"|already exists)",
          r"no such (?:table|column|index|key|bucket|module|container|service|image)\b",
          r"manifest (?:for \S{1,100} )?(?:unknown|not found)", r"undefined method",
          r"unknown (?:column|table|database)", r"duplicate (?:key|entry)",
          r"connection to server at .{1,120} failed: (?:FATAL|ERROR): ",
          r"violates .{1,40}constraint", r"deadlock (?:detected|found|victim)",
          r"constraint (?:failed|violation)"),
)
_FAULTS: tuple[Rule, ...] = (
    words("deadline", TIMEOUT,
          r"deadline[ _]?(?:of .{1,20} )?exceeded", r"\bElapsed\(\(\)\)", r"\(EXIT\) time out",
          r"\b(?:script|job|test|step|build|operation|task) time-?out\b",
          r"to become .{1,40} in time\b", r"\bwaited (?:for )?\d{1,9} ?\w{0,8} for\b",
          r"TimeoutExpired", r"time-?out expired", r"\bexecution expired", r"gateway time-?out",
          r"(?<![a-z\d]_)\b\w{0,40}Timeout(?:Exception|Error|d)\b",
          r"(?:time|timed)[ -]?out (?:after|waiting|while|of|exceeded|reached|during)",
          r"due to timeout", r"took too long",
          r"timeout (?:was |is |has been )?(?:exceeded|reached|expired)",
          r"(?:still )?not (?:ready|finished|complete|available|done) (?:after|within|in) \d",
          r"did not (?:\w{1,20} ){1,4}(?:within|in time|after) ", r"\S timed out\b",
          r"(?<!_)TimedOut\b"),
    words("called off", CANCELLED,
          r"context cancell?ed", r"code = Cancell?ed", r"\bkeyboard ?interrupt\b",
          r"CancelledError", r"\bcancell?ed\b",
          r"(?:operation|task|request|job|run|build|workflow|execution|deployment|pipeline"
          r"|command|process) (?:was |has been |is )?(?:being )?(?:cancell?ed|aborted"
          r"|interrupted|stopped by)", r"\bSIG(?:TERM|INT|HUP|QUIT)\b", r"cancell?ed by",
          r"(?:aborted|interrupted|stopped) by (?:the )?(?:user|operator|signal|request)",
          r"interrupt received", r"two interrupts received", r"(?:user|keyboard) interrupt",
          r"^\W{0,4}aborted[!.]$", r"warm shutdown", r"gracefully (?:shutting|stopping)",
          r"(?:Task|Operation)Cancell?edException", r"CancellationException",
          r"Interrupt(?:ed)?Exception", r"killed by (?:the )?(?:user|admin|operator|owner)",
          r"\^C received", r"handling signal: (?:term|int|quit)", r"application is shutting down",
          r"\w::Shutdown\b", r"\bAbortError\b", r"user aborted",
          r"(?:received|got|caught) (?:an? )?(?:\w{1,12} )?(?:interrupt|terminat|shutdown|stop"
          r"|kill)", r"^\W{0,4}terminated$", r"^\W{0,4}interrupt(?:ed)?$",
          r"signal:? (?:15|2|terminated|interrupt)\b", r"shutting down (?:gracefully|on signal)",
          r"^\^C", r"Cancell?ing\b"),
    words("provider's fault", PLATFORM,
          r"backend ?error", r"Internal(?:Server|Service)?(?:Error|Failure|Exception)\b",
          r"internal_?(?:error|failure)", r"internal error",
          r"service ?(?:is |was )?(?:temporarily |currently )?unavailable", r"bad gateway",
          r"\bGOAWAY\b",
          r"(?:service|server|system|site|api) (?:is |are )?(?:currently "
          r"|temporarily )?(?:unavailable|overloaded|down for|experiencing|not available)",
          r"overloaded", r"temporarily unavailable", r"server error\b",
          r"transport (?:is |was )?closed", r"retrying may (?:solve|help)",
          r"lost communication with", r"experiencing (?:an outage|issues|problems)",
          r"fatal error in commit_refs", r"\bworkers? (?:was |were )?lost\b",
          r"stale (?:NFS )?file handle",
          r"an? (?:unexpected|internal|unknown) (?:server )?error (?:has )?occurred (?:on|in"
          r"|at) (?:the|our)", r"something went wrong while", r"RST_?STREAM", r"Rst Stream",
          r"(?:please )?(?:try|retry|retrying|resubmit)\w{0,6} (?:again|the job|the request"
          r"|your request)(?! in \d)", r"lost contact with", r"ephemeral error",
          r"transient (?:error|failure)", r"error has occurred at", r"leader changed",
          r"no leader\b", r"\bpreempted\b",
          r"error (?:has )?occurred (?:while|when) processing your request",
          r"(?:server|service) encountered", r"sorry, (?:but )?something went wrong",
          r"(?:we|server) (?:had|have|encountered|are having) (?:\w{1,12} ){0,3}(?:issues?"
          r"|errors?|problems?)", r"unhealthy", r"under maintenance", r"maintenance mode",
          r"unavailable for (?:\w{1,20} )?maintenance"),
)
_PROGRAMS: tuple[Rule, ...] = (
    words("fault of the program", APPLICATION,
          r"\bpanic: ", r"\bpanicked at\b", r"segmentation fault", r"SIGSEGV",
          r"SIGABRT|core dumped",
          r"\b(?:Type|Key|Index|Name|Attribute|Assertion|Syntax|Reference|Range|ZeroDivision"
          r"|Import|ModuleNotFound|FileNotFound|Unicode(?:De|En)code|NoMethod|Argument|Recursion"
          r"|Value|NotImplemented|JSONDecode|Indentation|UnboundLocal|Integrity|Programming|Data"
          r"|Parser?|Validation|NotFound|Load|Template|Config\w{0,12}|Scanner|Schema|Lookup"
          r"|Does\w?NotExist)(?:Error|Exception)\b",
          r"\b(?:NullPointer|IllegalState|IllegalArgument|ClassCast|IndexOutOfBounds"
          r"|NoSuchElement|NumberFormat|ClassNotFound|NoSuchMethod|StackOverflow"
          r"|ConcurrentModification|NoClassDef\w{0,8}|UnsupportedOperation|NullReference"
          r"|InvalidOperation|NoSuchFile|FileNotFound|Bean\w{0,30}|Arithmetic|Format"
          r"|Argument\w{0,12}|Parse|Malformed\w{0,20}|DataIntegrity\w{0,20})(?:Exception|Error)\b",
          r"exec format error", r"executable file not found", r"command not found",
          r"no such file or directory", r"\bENOENT\b", r"cannot find (?:module|package)",
          r"unknown option", r"syntax error", r"invalid data", r"unexpected token",
          r"not a valid \w", r"unknown command", r"EADDRINUSE", r"address already in use",
          r"MODULE_NOT_FOUND", r"unrecognized (?:arguments|option)",
          r"required (?:argument|option|field|property)",
          r"(?:arguments?|options?|fields?|parameters?|flags?) (?:\S{1,60} )?(?:are"
          r"|is) (?:required|missing)",
          r"(?:no such|unsupported|invalid|unexpected|bad|missing"
          r"|undefined) (?:\w{1,12} )?(?:option|argument|flag|parameter|value|syntax"
          r"|configuration|setting|field|property)\b", r"(?:flag provided but|is) not defined",
          r"\bis undefined\b", r"unknown (?:flag|argument|parameter|field|property|key)",
          r"\bUsageError\b",
          r"\S(?:['\"`])? (?:must|should|has to|have to|needs to) be (?:an? |one of|at least"
          r"|greater|less|between|in the|positive|non-?\w{1,12}|set|specified|provided|string"
          r"|integer)", r"['\"`]\S{1,60}['\"`] is required",
          r"\b(?:NoSection|NoOption|Undefined|MissingField|BadParameter)Error\b"),
)
LADDER: tuple[Rule, ...] = (
    *_MISLEADING, *RESOURCES, *PERMISSIONS, statuses.Clear(), *_GATEWAYS, *_LIMITS,
    *codes.TOOLS, *ERRNOS, *NETWORKS, *codes.SQL, *codes.CLOUDS_FAULTS, *_NOT_THERE,
    statuses.Broad(), *PEERS, *_FAULTS, *_PROGRAMS,
)
#: Words that only count in a line that tells of an error, where nothing better was found.
WEAK: tuple[Rule, ...] = (
    words("words of what was asked", APPLICATION,
          r"(?:not|n't) (?:be )?(?:found|exist|defined|supported|implemented|installed"
          r"|recogni[sz]ed)\b", r"already exists", r"\binvalid\b",
          r"\bunknown (?!host|error|reason|status)\w", r"\b(?:mis)?configured?\b", r"misconfigur",
          r"\bunsupported\b", r"\bdeprecated\b", r"^-{0,4} ?FAIL\b", r"\bexpect(?:ed|s|ing)?\b",
          r"\bpars(?:e|ed|ing)\b"),
    words("words of access", PERMISSION,
          r"\bdenied\b", r"credential", r"authenticat", r"authoriz", r"access token",
          r"\bpermissions?\b"),
    words("words of memory", MEMORY,
          r"\bmemory\b", r"\boom\b"),
    words("words of quota", CAPACITY,
          r"\bquotas?\b", r"limit (?:was |is )?(?:exceeded|reached)", r"\bthrottl"),
    words("words of networks", NETWORK,
          r"(?<![.:])\bconnect(?:ion|ing|ed)?\b(?! (?:string|name|type|id|url|uri)\w{0,3}\b)",
          r"\bnetwork\b", r"\bsocket\b", r"unreachable", r"unresponsive", r"\bdns\b", r"\bproxy\b",
          r"ERR_TUNNEL", r"disconnect", r"\bEOFError\b"),
    words("words of time", TIMEOUT,
          r"time[d ]?-?out", r"\bdeadline\b", r"took too long"),
    words("words of servers", PLATFORM,
          r"unavailable", r"try again later", r"internal (?:server )?error", r"server error"),
    words("words of an end", CANCELLED,
          r"\bcancell?ed\b", r"\binterrupted\b", r"shutdown signal", r"aborted by",
          r"\bstopped by\b"),
)
# fmt: on
