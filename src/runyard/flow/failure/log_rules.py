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
from runyard.flow.failure.network_words import NETWORKS, PEERS
from runyard.flow.failure.saying import (
    APPLICATION,
    CANCELLED,
    CAPACITY,
    DISK,
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
          r"|Syntax" r"|Indentation|NoMethod|Key|Index|Reference|ZeroDivision|JSONDecode"
          r"|UnicodeDecode)Error\b",
          r"^\W{0,40}TypeError\b(?!: (?:fetch failed|Failed to fetch|NetworkError|terminated"
          r"|network))", r"(?<![a-z])UnboundLocalError", r"has no attribute '", exact=True),
    # A server that is not ready yet, whatever it is busy with.
    words("a server that starts", NETWORK,
          r"loading the dataset in memory", r"\b(?:MASTER|CLUSTER)DOWN\b",
          r"the database system is (?:starting|shutting|in recovery|not yet)",
          r"server is in script upgrade mode", r"not (?:currently )?(?:master|primary)\b",
          r"NotWritablePrimary", r"NotYetConnected", r"server connection dropped"),
    words("nobody reached", NETWORK, r"NoHostAvailable", r"All hosts? ?(?:\(s\) )?tried"),
    words("room for a pod", CAPACITY,
          r"nodes? (?:are|is) available", r"\bFailedScheduling\b", r"\bUnschedulable\b",
          r"exceeded quota:", r"was low on resource: (?!ephemeral)", r"\bEvicted\b.{0,40}memory"),
    words("room on a server", CAPACITY,
          r"circuit_?breaking", r"command not allowed when used memory", r"maxmemory",
          r"max number of clients", r"es_rejected_execution", r"EsRejectedExecution"),
)
_RESOURCES: tuple[Rule, ...] = (
    words("task timeout", TIMEOUT,
          r"(?:execution|job|run|step|build|task) took (?:longer|more) than",
          r"because the time ?(?:out|limit) was", r"time-?out \(\d{1,6} ?m?s > \d{1,6} ?m?s\)",
          r"appears? to be stuck",
          r"no (?:\w{1,20} )?(?:activity|progress|output) (?:\w{1,20} ){0,4}in the last"),
    words("processes and files", CAPACITY,
          r"too many open files", r"\bE[MN]FILE\b", r"can't start new thread", r"cannot fork",
          r"(?:fork|clone|pthread_create|spawn|thread).{0,80}temporarily unavailable",
          r"unable to create (?:new )?(?:native )?thread",
          r"too many (?:open )?(?:processes|files)", r"inotify watches",
          r"unable to start (?:new )?thread"),
    words("memory", MEMORY,
          r"out[- ]?of[- ]?memory", r"\b(?:\w{0,20}Array)?MemoryError\b", r"NoMemoryError",
          r"std::bad_alloc",
          r"(?:cannot|could not|unable to|failed to) allocate (?:memory|vector|buffer|block"
          r"|array)\b", r"\bENOMEM\b", r"\boom[-_ ]?kill", r"memory limit of .{1,20} exceeded",
          r"Allocation failed", r"unable to allocate [\d.]{1,12} ?[KMGT]i?B", r"AllocationError",
          r"ALLOC_FAILED", r"^\W{0,4}killed(?: +\S{1,80})?$", r": +(?:\d{1,9} )?killed\b",
          r"allowed memory size of \d+ bytes", r"signal:? (?:9\b|killed|SIGKILL)", r"SIGKILL\b",
          r"(?:insufficient|not enough) (?:\w{1,20} )?memory", r"GC overhead limit",
          r"(?:exceed(?:ed|ing|s)|over) (?:(?:the|its) )?(?:\w{1,12}% |\w{1,20} )?memory",
          r"memory limit (?:is |was |has been )?exceeded", r"(?:run|ran|running) out of memory",
          r"memory exhausted", r"exhausted (?:the )?(?:\w{1,20} )?memory", r"\bOOM\b",
          r"spark\.driver\.maxResultSize", r"heap (?:space|limit)", r"Metaspace$",
          r"killed signal terminated", r"mmap failed", r"runtime: out of memory", r"shared memory"),
    words("disk", DISK,
          r"no space left", r"\bENOSPC\b", r"\[Errno (?:28|122)\]", r"disk quota exceeded",
          r"\bEDQUOT\b", r"(?:disk|filesystem|volume|device|tablespace) (?:is |was )?full",
          r"out of disk",
          r"(?:not enough|insufficient|out of|no) (?:free |disk |storage ){1,2}space",
          r"not enough (?:free )?space", r"no free space", r"SQLITE_FULL", r"unable to extend",
          r"could not (?:extend|write to) file", r"flood-stage watermark",
          r"read-only-allow-delete", r"not able to persist on disk", r"low on resource: ephemeral",
          r"file too large$", r"\bEFBIG\b", r"database or disk is full"),
    *codes.CHILDREN,
    words("room in a pool", CAPACITY,
          r"could not obtain a (?:database )?connection", r"QueuePool limit", r"PoolTimeout",
          r"pool (?:is )?(?:probably )?(?:exhausted|full|timed out|empty)", r"pooled connections",
          r"obtaining a connection from the pool", r"timeout acquiring a connection",
          r"connection is not available, request timed out", r"dropped from queue",
          r"Cannot get a connection, pool error", r"PoolExhausted", r"PoolError"),
    words("room for a connection", CAPACITY,
          r"too many clients", r"connection slots", r"too many (?:\w{1,20} )?connections",
          r"ny connections\b", r"max_user_connections", r"max_connections",
          r"connection limit (?:exceeded|reached)", r"too many (?:sessions|logins|users|clients)",
          r"\bmax(?:imum)? (?:of )?\d{1,6} (?:users|clients|connections|sessions)"),
    words("quota", CAPACITY,
          r"RESOURCE_?EXHAUSTED", r"resources? (?:has been |have been )?exhausted",
          r"quota[ _]?(?:has been |was |is )?(?:exceeded|exhausted|reached)", r"quota metric",
          r"(?:over|exceed(?:s|ed|ing)?) (?:\w{1,12} ){0,4}quota", r"out of quota",
          r"rate[ _-]?limit", r"limit ?(?:ed)? reached for",
          r"too ?many ?(?:requests|operations|calls|attempts)", r"request rate (?:is |too )?large",
          r"RequestRateTooLarge", r"\bThrottl(?:ed|ing)", r"rate exceeded", r"\bSlowDown\b",
          r"slow down\b", r"reduce your request rate",
          r"(?<!time)(?<!time )(?<!backoff)(?<!retry)(?<!recursion )(?<!size )(?<!depth )limit"
          r" ?exceeded", r"quota '?[\w-]{1,40}'? (?:has been |was )?(?:exceeded|reached)",
          r"hit your (?:\w{1,12} )?limit",
          r"max(?:imum)? (?:number|amount) of .{1,40} (?:reached|exceeded)",
          r"\blimit of [\d,]{1,12} .{1,40}(?:reached|exceeded)", r"usage limit",
          r"(?:daily|upload|sending|usage|hourly|monthly|request) limit (?:\w{1,12} )?"
          r"(?:exceeded|reached)", r"limit for .{1,40} (?:exceeded|reached)",
          r"insufficient[ _](?:capacity|quota|tokens|funds|balance|credits?)", r"greater capacity",
          r"(?:increase in|increase your) (?:\w{1,12} )?quota", r"operations? quota",
          r"RESOURCE_POOL_EXHAUSTED", r"enough resources", r"no (?:available )?capacity",
          r"capacity (?:exceeded|is not available|reached)",
          r"(?:currently|temporarily) (?:at|over) capacity", r"stockout",
          r"resources exceeded during", r"billing hard limit"),
)
_CANNOT_FIND = (
    r"could (?:not|n't) (?:find|load|automatically determine|retrieve|get|refresh|obtain)"
)
_PERMISSIONS: tuple[Rule, ...] = (
    words("login", PERMISSION,
          r"password authentication failed", r"no pg_hba\.conf entry", r"access denied for user",
          r"log ?(?:in|on) (?:\w{1,12} )?(?:failed|denied|incorrect)", r"failed to log ?in",
          r"exception authenticating",
          r"(?:SASL|LDAP|Kerberos|GSSAPI).{0,30}(?:fail|denied|invalid)",
          r"(?:authentication|authorization) (?:error|failed|failure|required|unsuccessful)",
          r"requires? authentication", r"unable to authenticate", r"failed to authenticate",
          r"could not authenticate", r"not authenticated", r"\bNOAUTH\b", r"\bWRONGPASS\b",
          r"\bNOPERM\b", r"no password supplied",
          r"(?:wrong|incorrect|bad|invalid) (?:user ?name|password|login|user|credentials?"
          r"|api key)",
          r"(?:user ?name|login|user|email)(?: and| or|/| & ?)+(?:\w{1,8} )?password",
          r"role \"[^\"]{1,64}\" (?:does not exist|is not permitted)", r"bad auth\b",
          r"(?:user|account|card|subscription|project) (?:\S{1,40} )?(?:is |has been |was )?"
          r"(?:locked|disabled|suspended|deactivated|blocked|banned)", r"\bEAUTH\b",
          r"\bAADSTS\d{5}", r"a password is required", r"active account",
          r"licen[cs]e .{0,30}(?:expired|invalid|required|not found)"),
    words("credentials", PERMISSION,
          r"invalid_(?:grant|client|token|scope|request_uri)", r"unauthorized_client",
          r"\w{0,40}Credentials?\w{0,20}(?:Error|Exception|NotFound|Unavailable)\b",
          r"RefreshError",
          _CANNOT_FIND + r" (?:\w{1,20} ){0,3}(?:credentials?|access token|token|identity)",
          r"unable to (?:locate|load|find|retrieve|get) (?:\w{1,12} )?credentials",
          r"no (?:valid )?credentials?\b", r"missing credentials",
          r"credentials? (?:were |was |are |is "
          r"|has |have )?(?:not |been )*(?:found|provided|expired|revoked|invalid|missing"
          r"|rejected)", r"NoCredentials", r"NoAuthHandlerFound", r"ExpiredToken",
          r"InvalidAccessKey",
          r"(?:invalid|incorrect|missing|expired|no) (?:\w{1,12} )?(?:api|access"
          r"|secret)[ -]?_?key",
          r"api[ _-]?key (?:\w{1,12} ){0,2}(?:invalid|expired|required|missing|not valid"
          r"|not found)",
          r"(?:token|session|signature|assertion|jwt|secret)\b.{0,20}? (?:(?:has|have|is|was|are"
          r"|been)"
          r" ){0,2}(?:expired|revoked|invalid|required|not valid|malformed|used too early"
          r"|rejected)",
          r"(?:invalid|expired|bad|missing|malformed) (?:\w{1,12} )?(?:token|jwt|signature"
          r"|session)\b", r"token used too", r"scope has changed", r"InvalidToken",
          r"\bUNAUTHENTICATED\b", r"\bunauthori[sz]ed\b",
          r"Unauthorized(?:Error|Exception|Access)",
          r"\bAuth\w{0,30}(?:Error|Exception|Failed|Failure|Denied|Required)\b",
          r"could not read Username", r"please (?:run|use) .{0,20}\blog ?in\b", r"login required",
          r"not logged in", r"must be logged in", r"forgot to log ?in", r"re-?authenticat",
          r"clock skew", r"no basic auth", r"Permission denied \(publickey", r"issue ID_TOKEN"),
    *codes.CLOUDS, *codes.DATABASES, *codes.MAIL,
    words("access", PERMISSION,
          r"PERMISSION_?DENIED", r"permission denied", r"permission '[^']{1,100}' denied",
          r"\bEACCES\b", r"\bEPERM\b", r"\[Errno (?:1|13|30)\]", r"permission to .{1,100} denied",
          r"(?:white|allow)-?list(?:ed)?\b", r"\bPermission(?:Error|Exception)\b", r"\bEROFS\b",
          r"operation not permitted", r"access[ _]?(?:is |was |has been )?denied", r"AccessDenied",
          r"access to (?:the )?(?:\w{1,20} )?.{1,80} (?:is |was )?denied", r"REQUEST_DENIED",
          r"requested access to the resource is denied", r"pull access denied", r"denied access",
          r"not authori[sz]ed", r"\bforbidden\b", r"is not writable", r"NotAuthorized",
          r"(?:does|do|did) ?n[o']t have .{0,60}?(?:access|permissions?|privileges?|rights?)\b",
          r"required to have .{1,40}access",
          r"insufficient[ _]?\w{0,16}[ _]?(?:permission|privilege" r"|scope|rights)",
          r"InsufficientPriv", r"without (?:the )?(?:\w{1,20} )?permission",
          r"(?:lacks?|missing|no|needs?|requires?) (?:the |any )?.{0,40}?(?:permission"
          r"|privilege)s?\b", r"read-only file ?system", r"must be (?:owner|superuser|admin)",
          r"AuthorizationFail", r"unable to assume", r"AccessControlException",
          r"SecurityException\b",
          r"(?<!method )not (?:allowed|permitted|granted|entitled|accessible) (?:to|access|for"
          r"|by)\b", r"is not (?:allowed|permitted)\b", r"blocked by (?:\w{1,20} ){0,3}polic",
          r"Access Not Conf", r"has not been used in project", r"has disabled the use of",
          r"API is not enabled", r"api (?:\S{1,60} )?(?:is |was )?(?:not enabled|disabled)",
          r"billing .{0,40}" r"(?:disabled|not enabled|inactive)", r"enable billing",
          r"ACCESS_REFUSED", r"not a member of", r"protected branch",
          r"(?:TLS|client) certificate required"),
)
_LIMITS: tuple[Rule, ...] = (
    words("task timeout", TIMEOUT,
          r"the configured timeout was reached", r"due to time limit", r"\bTIME LIMIT\b",
          r"time ?limit (?:was |has been |is )?(?:exceeded|reached)", r"TimeLimitExceeded",
          r"(?:exceed(?:ed|s|ing)?|reached|over|past) (?:\w{1,12} ){0,3}"
          r"(?:time ?limit|time ?out|deadline|run ?time|execution time|duration)",
          r"maximum execution time of", r"\btimeout \d{1,9} ?m?s exceeded", r"exceeded\. For async",
          r"^\W{0,4}alarm clock", r"DeadlineExceeded", r"active longer than",
          r"walltime", r"Navigation timeout", r"waiting for (?:selector|locator|function|element)",
          r"ScriptTimeout", r"hook timed out", r"JobTimeout", r"has been running for"),
    words("statement timeout", TIMEOUT,
          r"due to (?:statement|lock|idle\S{0,30}|conflict) ?timeout", r"lock wait timeout",
          r"max(?:imum)?[ _](?:statement_?|execution_?|query )+(?:execution )?time",
          r"prior to completion of the operation", r"cancell?ed due to timeout",
          r"database (?:is|table is) locked", r"SQLITE_BUSY", r"execution timeout",
          r"lock (?:request )?time ?out", r"could not (?:obtain|acquire|get) (?:the |a )?lock",
          r"waiting for (?:the |a )?(?:\w{1,20} )?lock", r"(?:is|are) (?:already )?locked by",
          r"MaxTimeMSExpired", r"operation exceeded time limit",
          r"received only \d{1,4} responses",
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
          r"upstream connect error", r"no healthy upstream", r"upstream request timeout"),
)
_NOT_THERE: tuple[Rule, ...] = (
    words("something that is not there", APPLICATION,
          r"(?:relation|table|column|database|function|schema) .{1,100} (?:does not exist"
          r"|already exists)",
          r"no such (?:table|column|index|key|bucket|module|container|service|image)\b",
          r"manifest (?:for \S{1,100} )?(?:unknown|not found)", r"undefined method",
          r"unknown (?:column|table|database)", r"duplicate (?:key|entry)",
          r"violates .{1,40}constraint", r"deadlock (?:detected|found|victim)",
          r"constraint (?:failed|violation)"),
)
_FAULTS: tuple[Rule, ...] = (
    words("deadline", TIMEOUT,
          r"deadline[ _]?(?:of .{1,20} )?exceeded", r"TimeoutExpired", r"time-?out expired",
          r"\bexecution expired", r"gateway time-?out",
          r"(?<![a-z\d]_)\b\w{0,40}Timeout(?:Exception|Error|d)\b",
          r"(?:time|timed)[ -]?out (?:after|waiting|while|of|exceeded|reached|during)",
          r"exceeded (?:the )?time ?(?:limit|out)", r"due to timeout", r"took too long",
          r"timeout (?:was |is |has been )?(?:exceeded|reached|expired)",
          r"(?:still )?not (?:ready|finished|complete|available|done) (?:after|within|in) \d",
          r"did not (?:\w{1,20} ){1,4}(?:within|in time|after) ", r"\S timed out\b",
          r"(?<!_)TimedOut\b"),
    words("called off", CANCELLED,
          r"context cancell?ed", r"code = Cancell?ed", r"\bkeyboard ?interrupt\b",
          r"CancelledError", r"\bcancell?ed\b",
          r"(?:operation|task|request|job|run|build|workflow|execution|deployment|pipeline"
          r"|command|process)"
          r" (?:was |has been |is )?(?:being )?(?:cancell?ed|aborted|interrupted|stopped by)",
          r"\bSIG(?:TERM|INT|HUP|QUIT)\b", r"cancell?ed by",
          r"(?:aborted|interrupted|stopped) by (?:the )?" r"(?:user|operator|signal|request)",
          r"interrupt received", r"two interrupts received", r"gracefully (?:shutting|stopping)",
          r"(?:Task|Operation)Cancell?edException", r"CancellationException",
          r"InterruptedException", r"\bAbortError\b", r"user aborted",
          r"(?:received|got|caught) (?:an? )?(?:\w{1,12} )?(?:interrupt|terminat|shutdown|stop"
          r"|kill)", r"^\W{0,4}terminated$", r"^\W{0,4}interrupt(?:ed)?$",
          r"signal:? (?:15|2|terminated|interrupt)\b", r"shutting down (?:gracefully|on signal)",
          r"^\^C", r"Cancell?ing\b"),
    words("provider's fault", PLATFORM,
          r"backend ?error", r"Internal(?:Server|Service)?(?:Error|Failure|Exception)\b",
          r"internal_?(?:error|failure)", r"internal error", r"INTERNAL_ERROR",
          r"service ?(?:is |was )?(?:temporarily |currently )?unavailable", r"bad gateway",
          r"\bGOAWAY\b", r"(?:service|server|system|site|api) (?:is |are )?(?:currently "
          r"|temporarily )?(?:unavailable" r"|overloaded|down for|experiencing|not available)",
          r"transport (?:is |was )?clos(?:ed|ing)", r"overloaded", r"temporarily unavailable",
          r"transport (?:is |was )?closing", r"server error\b",
          r"an? (?:unexpected|internal|unknown) (?:server )?error (?:has )?occurred"
          r" (?:on|in|at) (?:the|our)", r"something went wrong while", r"RST_?STREAM",
          r"Rst Stream",
          r"(?:please )?(?:try|retry|retrying|resubmit)\w{0,6} (?:again|the job|the request"
          r"|your request)(?: later| may)?", r"lost contact with", r"ephemeral error",
          r"transient (?:error|failure)", r"error has occurred at", r"leader changed",
          r"no leader\b", r"\bpreempted\b",
          r"error (?:has )?occurred (?:while|when) processing your request", r"server encountered",
          r"(?:we|server) (?:had|have|encountered|are having) (?:\w{1,12} ){0,3}(?:issues?"
          r"|errors?|" r"problems?)", r"unhealthy", r"under maintenance", r"maintenance mode"),
)
_PROGRAMS: tuple[Rule, ...] = (
    words("fault of the program", APPLICATION,
          r"\bpanic: ", r"\bpanicked at\b", r"segmentation fault", r"SIGSEGV",
          r"SIGABRT|core dumped",
          r"\b(?:Type|Key|Index|Name|Attribute|Assertion|Syntax|Reference|Range|ZeroDivision"
          r"|Import"
          r"|ModuleNotFound|FileNotFound|Unicode(?:De|En)code|NoMethod|Argument|Recursion|Value"
          r"|NotImplemented|JSONDecode|Indentation|UnboundLocal|Integrity|Programming|Data"
          r"|Parser?" r"|Validation|NotFound|Load|Template|Config\w{0,12}|Scanner|Schema|Lookup"
          r"|Does\w?NotExist)" r"(?:Error|Exception)\b",
          r"\b(?:NullPointer|IllegalState|IllegalArgument|ClassCast|IndexOutOfBounds"
          r"|NoSuchElement"
          r"|NumberFormat|ClassNotFound|NoSuchMethod|StackOverflow|ConcurrentModification"
          r"|NoClassDef"
          r"\w{0,8}|UnsupportedOperation|NullReference|InvalidOperation|NoSuchFile|FileNotFound"
          r"|Bean\w{0,30}"
          r"|Arithmetic|Format|Argument\w{0,12}|Parse|Malformed\w{0,20}|DataIntegrity\w{0,20})"
          r"(?:Exception|Error)\b", r"exec format error", r"executable file not found",
          r"command not found", r"no such file or directory", r"\bENOENT\b",
          r"cannot find (?:module|package)", r"unknown option", r"syntax error", r"invalid data",
          r"unexpected token", r"not a valid \w", r"unknown command", r"EADDRINUSE",
          r"address already in use", r"ERR_MODULE_NOT_FOUND", r"MODULE_NOT_FOUND",
          r"unrecognized (?:arguments|option)", r"required (?:argument|option|field|property)"),
)
LADDER: tuple[Rule, ...] = (
    *_MISLEADING, *_RESOURCES, *_PERMISSIONS, statuses.Clear(), *_GATEWAYS, *_LIMITS,
    *codes.TOOLS, *NETWORKS, *codes.SQL, *codes.CLOUDS_FAULTS, *_NOT_THERE, statuses.Broad(),
    *PEERS, *_FAULTS, *_PROGRAMS,
)
#: Words that only count in a line that tells of an error, where nothing better was found.
WEAK: tuple[Rule, ...] = (
    words("words of access", PERMISSION,
          r"\bdenied\b", r"credential", r"authenticat", r"authoriz", r"access token",
          r"\bpermissions?\b"),
    words("words of memory", MEMORY, r"\bmemory\b", r"\boom\b"),
    words("words of quota", CAPACITY,
          r"\bquotas?\b", r"limit (?:was |is )?(?:exceeded|reached)", r"\bthrottl"),
    words("words of networks", NETWORK,
          r"(?<![.:])\bconnect(?:ion|ing|ed)?\b", r"\bnetwork\b", r"\bsocket\b", r"unreachable",
          r"unresponsive", r"\bdns\b", r"\bproxy\b", r"ERR_TUNNEL", r"disconnect", r"\bEOFError\b",
          r"\b(?:early|unexpected) EOF\b"),
    words("words of time", TIMEOUT, r"time[d ]?-?out", r"\bdeadline\b", r"took too long"),
    words("words of servers", PLATFORM,
          r"unavailable", r"try again later", r"internal (?:server )?error", r"server error"),
    words("words of an end", CANCELLED,
          r"\bcancell?ed\b", r"\binterrupted\b", r"shutdown signal", r"aborted by",
          r"\bstopped by\b"),
)
# fmt: on
