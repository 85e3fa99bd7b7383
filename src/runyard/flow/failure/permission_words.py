"""Words of who one is and what one may do: logins, tokens, keys, roles, files, accounts. Pure."""

from __future__ import annotations

from runyard.flow.failure import codes
from runyard.flow.failure.saying import PERMISSION, Rule, words

# fmt: off
_CANNOT_FIND = (
    r"could (?:not|n't) (?:find|load|automatically determine|retrieve|get|refresh|obtain)"
)
PERMISSIONS: tuple[Rule, ...] = (
    words("login", PERMISSION,
          r"no pg_hba\.conf entry", r"access denied for user",
          r"log ?(?:in|on) (?:\w{1,12} )?(?:failed|denied|incorrect)", r"failed to log ?in",
          r"\bauth fail", r"Login(?:Exception|Failure|Error)\b", r"not found in kerberos database",
          r"\bsign in to\b", r"exception authenticating",
          r"(?:SASL|LDAP|Kerberos|GSSAPI).{0,30}(?:fail|denied|invalid cred)",
          r"(?:authentication|authorization) (?:error|failed|failure|required|unsuccessful)",
          r"requires? authentication", r"unable to authenticate", r"failed to authenticate",
          r"could not authenticate", r"not authenticated", r"\bNOAUTH\b", r"\bWRONGPASS\b",
          r"\bNOPERM\b", r"no password supplied",
          r"(?:wrong|incorrect|bad|invalid) (?:user ?name|password|login|user|credentials?"
          r"|api key)", r"(?:user ?name|login|user|email)(?: and| or|/| & ?)+(?:\w{1,8} )?password",
          r"role \"[^\"]{1,64}\" (?:does not exist|is not permitted)", r"bad auth\b",
          r"(?:user|account|card|subscription|project) (?:\S{1,40} )?(?:is |has been "
          r"|was )?(?:locked|disabled|suspended|deactivated|blocked|banned)", r"\bEAUTH\b",
          r"\bAADSTS\d{5}", r"a password is required", r"active account", r"to read the password",
          r"not in the sudoers", r"payment required", r"(?:no|not have an) active subscription",
          r"account (?:is |was )?not activated", r"exist or is disabled",
          r"api[ _-]key (?:doesn't|does not) exist", r"invalid x-api-key", r"missing sudo password",
          r"licen[cs]e .{0,30}(?:expired|invalid|required|not found)"),
    words("credentials", PERMISSION,
          r"invalid_(?:grant|client|token|scope|request_uri|auth)\b", r"unauthorized_client",
          r"\bnot_authed\b", r"\btoken_(?:revoked|expired)\b", r"\bmissing_scope\b",
          r"\bnot_in_channel\b", r"\bE(?:NEEDAUTH|OTP|AUTHIP|AUTHUNKNOWN)\b", r"\bneed auth\b",
          r"one-time password", r"improper token", r"(?:must|should|needs? to) be logged",
          r"api[_ -]key .{0,60}must be set", r"could not read Password",
          r"\w{0,40}Credentials?\w{0,20}(?:Error|Exception|NotFound|Unavailable)\b",
          r"RefreshError",
          _CANNOT_FIND + r" (?:\w{1,20} ){0,3}(?:credentials?|access token|token|identity)",
          r"unable to (?:locate|load|find|retrieve|get) (?:\w{1,12} )?credentials",
          r"no (?:valid )?credentials?\b", r"missing credentials",
          r"credentials? (?:were |was |are |is |has |have )?(?:not |been )*(?:found|provided"
          r"|expired|revoked|invalid|missing|rejected)", r"NoCredential", r"NoAuthHandlerFound",
          r"ExpiredToken", r"InvalidAccessKey",
          r"(?:invalid|incorrect|missing|expired|no) (?:\w{1,12} )?(?:api|access|secret)[ -]?_?key",
          r"api[ _-]?key (?:\w{1,12} ){0,2}(?:invalid|expired|required|missing|not valid"
          r"|not found)",
          r"(?:token|session|signature|assertion|jwt|secret)\b.{0,50}? (?:(?:has|have|is|was|are"
          r"|been) ){0,2}(?:expired|revoked|invalid|required|not valid|malformed|used too early"
          r"|rejected)",
          r"(?:invalid|expired|bad|missing|malformed) (?:\w{1,12} )?(?:token|jwt|signature"
          r"|session)\b", r"token used too", r"scope has changed", r"InvalidToken",
          r"\bUNAUTHENTICATED\b", r"\bunauthori[sz]ed\b", r"Unauthorized(?:Error|Exception|Access)",
          r"\bAuth\w{0,30}(?:Error|Exception|Failed|Failure|Denied"
          r"|Required)\b(?!: The remote cert)", r"could not read Username",
          r"please (?:run|use) .{0,20}\blog ?in\b", r"login required", r"not logged in",
          r"forgot to log ?in", r"re-?authenticat", r"clock skew",
          r"no basic auth", r"Permission denied \(publickey", r"issue ID_TOKEN"),
    *codes.CLOUDS, *codes.DATABASES, *codes.DIRECTORIES, *codes.MAIL,
    words("access", PERMISSION,
          r"PERMISSION_?DENIED", r"permission denied",
          r"permission ['\"`][^'\"`]{1,100}['\"`] denied", r"\bEACCES\b", r"\bEPERM\b",
          r"\[Errno (?:1|13|30)\]", r"permission to .{1,100} denied",
          r"(?:white|allow)-?list(?:ed)?\b", r"\bPermission(?:Error|Exception)\b", r"\bEROFS\b",
          r"operation not permitted", r"access[ _]?(?:is |was |has been )?denied",
          r"access to (?:the )?(?:\w{1,20} )?.{1,80} (?:is |was )?denied", r"REQUEST_DENIED",
          r"denied access",
          r"not authori[sz]ed", r"\bforbidden\b", r"is not writable", r"NotAuthorized",
          r"(?:does|do|did) ?n[o']t have .{0,60}?(?:access|permissions?|privileges?|rights?)\b",
          r"required to have .{1,40}access",
          r"insufficient[ _]?\w{0,16}[ _]?(?:permission|privilege|scope|rights)",
          r"InsufficientPriv", r"without (?:the )?(?:\w{1,20} )?permission",
          r"(?:lacks?|missing|no|needs?|requires?) (?:the |any )?.{0,40}?(?:permission"
          r"|privilege)s?\b(?!['\"]|\.\w)", r"read-only file ?system",
          r"(?:must|needs? to|have to) be (?:an? |the )?(?:owner|super|admin|root\b)",
          r"requires elevation", r"not enough (?:permission|privilege|right)",
          r"permission was denied", r": read-only$", r"prohibited by", r"Constraint constraints/",
          r"AuthorizationFail", r"unable to assume", r"AccessControlException",
          r"SecurityException\b",
          r"(?<!method )not (?:allowed|permitted|granted|entitled|accessible) (?:to|access|for"
          r"|by)\b", r"is not (?:allowed|permitted)\b", r"blocked by (?:\w{1,20} ){0,3}polic",
          r"Access Not Conf", r"has not been used in project", r"has disabled the use of",
          r"api (?:\S{1,60} )?(?:is |was )?(?:not enabled|disabled)",
          r"billing .{0,40}(?:disabled|not enabled|inactive)", r"enable billing", r"ACCESS_REFUSED",
          r"not a member of", r"must be (?:member of|able to SET) role", r"protected branch",
          r"not_authorized", r"does not allow access",
          r"refusing to allow", r"access (?:\w{1,12} ){0,4}not granted", r"dubious ownership",
          r"unsafe repository", r"readonly database", r"certificate[ _]required",
          r"no required SSL certificate"),
)
# fmt: on
