"""Codes by which databases, clouds, mail servers and tools say what went wrong. Pure.

The lists are those of their makers, each named beside its table. A code that is in no table says
nothing: better no class than a wrong one.
"""

from __future__ import annotations

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
    Meaning,
    codes,
    listed,
    words,
)

#: ISO/IEC 9075-2 (SQLSTATE) as PostgreSQL lists it, by code or class
#: (https://www.postgresql.org/docs/current/errcodes-appendix.html); HYT00 and HYT01: ODBC; 70100:
#: MySQL. Classes 53 and 57 are the server's want of resources and what an operator did to it.
SQLSTATES: dict[str, Meaning] = {
    "08": NETWORK,
    "22": APPLICATION,
    "23": APPLICATION,
    "28": PERMISSION,
    "42": APPLICATION,
    "42501": PERMISSION,
    "53": CAPACITY,
    "53100": DISK,
    "53200": CAPACITY,
    "55P03": TIMEOUT,
    "57P01": NETWORK,
    "57P02": NETWORK,
    "57P03": NETWORK,
    "57P05": NETWORK,
    "58030": PLATFORM,
    "70100": CANCELLED,
    "HYT00": TIMEOUT,
    "HYT01": NETWORK,
}
#: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, of clients from 2000
#: on; 1969 is MariaDB's, 1907 ProxySQL's.
MYSQL: dict[str, Meaning] = {
    **listed(CAPACITY, "1040 1041 1203 1226"),
    **listed(PERMISSION, "1044 1045 1130 1142 1143 1227 1290 1370 1396 1410 1698 1820 1862 3118"),
    **listed(TIMEOUT, "1205 1907 1969 3024 3572"),
    **listed(CANCELLED, "1317 1094"),
    **listed(
        NETWORK,
        "1042 1047 1053 1129 1152 1158 1159 1160 1161 1184 1927 2002 2003 2005 2006 2012 2013 2055",
    ),
    **listed(DISK, "1021 1114"),
    **listed(CAPACITY, "1037 1038 1135"),
    **listed(APPLICATION, "1049 1050 1051 1054 1062 1064 1146 1213 1406 1451 1452"),
}
#: https://docs.oracle.com/en/error-help/db/
ORACLE: dict[str, Meaning] = {
    **listed(CAPACITY, "00018 00020 12516 12518 12519 12520 04030 04031"),
    **listed(PERMISSION, "01017 01031 01045 01005 28000 28001 28002 28040 29024"),
    **listed(
        NETWORK,
        "01033 01034 01089 01090 01092 03113 03114 03135 12154 12170 12502 12505 12514 12528 12535"
        " 12537 12541 12543 12545 12547 12560 12571 12606 12637 17002 28759",
    ),
    **listed(TIMEOUT, "00054 02049 30006 01555 00040"),
    **listed(DISK, "01652 01653 01654 01658 01688 01691 30036 19809 00257"),
    **listed(CANCELLED, "01013 00028"),
    **listed(APPLICATION, "00001 00060 00904 00942 01400 01722 02291 02292"),
}
#: Errors that every service of AWS has
#: (https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html), those of S3, EC2
#: and STS, and what their clients take for throttling
#: (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
AWS: dict[str, Meaning] = {
    **listed(
        PERMISSION,
        "AccessDenied AccessDeniedException AllAccessDisabled AuthFailure ExpiredToken"
        " ExpiredTokenException IncompleteSignature InvalidAccessKeyId InvalidClientTokenId"
        " InvalidIdentityToken InvalidSignatureException InvalidToken KMSAccessDeniedException"
        " MissingAuthenticationToken NotAuthorized OptInRequired RequestExpired"
        " RequestTimeTooSkewed SignatureDoesNotMatch TokenRefreshRequired UnauthorizedOperation"
        " UnrecognizedClientException UnauthorizedAccess AuthorizationHeaderMalformed",
    ),
    **listed(
        CAPACITY,
        "Throttling ThrottlingException ThrottledException RequestThrottled"
        " RequestThrottledException TooManyRequestsException RequestLimitExceeded SlowDown"
        " ProvisionedThroughputExceededException BandwidthLimitExceeded LimitExceededException"
        " PriorRequestNotComplete EC2ThrottledException ServiceQuotaExceededException"
        " InsufficientInstanceCapacity InsufficientHostCapacity InsufficientCapacity"
        " InsufficientCapacityException VcpuLimitExceeded InstanceLimitExceeded"
        " MaxSpotInstanceCountExceeded ConcurrentRunsExceededException",
    ),
    **listed(NETWORK, "RequestTimeout RequestTimeoutException"),
}
#: `ErrorInfo` (https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto),
#: the reasons of older APIs (https://developers.google.com/drive/api/guides/handle-errors,
#: https://cloud.google.com/bigquery/docs/error-messages) and of Compute Engine.
GOOGLE: dict[str, Meaning] = {
    **listed(
        PERMISSION,
        "SERVICE_DISABLED BILLING_DISABLED API_KEY_INVALID API_KEY_SERVICE_BLOCKED"
        " API_KEY_HTTP_REFERRER_BLOCKED API_KEY_IP_ADDRESS_BLOCKED USER_PROJECT_DENIED"
        " CONSUMER_SUSPENDED CONSUMER_INVALID SECURITY_POLICY_VIOLATED ACCESS_TOKEN_EXPIRED"
        " ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCOUNT_STATE_INVALID ACCESS_TOKEN_TYPE_UNSUPPORTED"
        " CREDENTIALS_MISSING RESOURCE_PROJECT_INVALID USER_BLOCKED_BY_ADMIN IAM_PERMISSION_DENIED"
        " RESOURCE_USAGE_RESTRICTION_VIOLATED LOCATION_POLICY_VIOLATED accessNotConfigured"
        " authError insufficientPermissions keyInvalid keyExpired ipRefererBlocked"
        " billingNotEnabled accessDenied insufficientFilePermissions appNotAuthorizedToFile"
        " domainPolicy",
    ),
    **listed(
        CAPACITY,
        "RATE_LIMIT_EXCEEDED RESOURCE_QUOTA_EXCEEDED QUOTA_EXCEEDED rateLimitExceeded"
        " userRateLimitExceeded dailyLimitExceeded dailyLimitExceededUnreg quotaExceeded"
        " concurrentLimitExceeded variableTermLimitExceeded sharingRateLimitExceeded"
        " resourcesExceeded responseTooLarge storageQuotaExceeded limitExceeded"
        " ZONE_RESOURCE_POOL_EXHAUSTED ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
    ),
}
#: Reasons of Google's for a fault of theirs: they stand beside a status that blames the caller.
GOOGLE_FAULTS: dict[str, Meaning] = listed(
    PLATFORM, "backendError internalError jobInternalError jobBackendError transientError"
)
#: https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes and the
#: allocation errors of Azure's machines.
AZURE: dict[str, Meaning] = {
    **listed(
        PERMISSION,
        "AuthenticationFailed AuthorizationFailed AuthorizationFailure InvalidAuthenticationInfo"
        " AuthorizationPermissionMismatch AuthorizationProtocolMismatch InvalidAuthenticationToken"
        " ExpiredAuthenticationToken InsufficientAccountPermissions AccountIsDisabled"
        " LinkedAuthorizationFailed KeyBasedAuthenticationNotPermitted",
    ),
    **listed(
        CAPACITY,
        "ServerBusy AllocationFailed ZonalAllocationFailed OverconstrainedAllocationRequest"
        " SkuNotAvailable QuotaExceeded OperationNotAllowedByQuota RequestRateTooLarge"
        " TooManyRequests RUBudgetExceeded",
    ),
    **listed(TIMEOUT, "OperationTimedOut"),
}
#: https://curl.se/libcurl/c/libcurl-errors.html
CURL: dict[str, Meaning] = {
    **listed(NETWORK, "5 6 7 16 18 28 35 51 52 55 56 58 59 60 66 77 80 82 83 90 91 92 95 96 97"),
    **listed(PERMISSION, "9 67"),
    **listed(DISK, "23"),
    **listed(MEMORY, "27"),
}
#: RFC 5321, 4.2, RFC 4954 (530 to 538) and RFC 3463 (X.7 is security and policy, X.2.2 a full box).
SMTP: dict[str, Meaning] = {
    **listed(NETWORK, "421"),
    **listed(CAPACITY, "450 452 454 552"),
    **listed(PLATFORM, "451"),
    **listed(PERMISSION, "523 530 534 535 538"),
    **listed(APPLICATION, "500 501 502 503 504 550 551 553 554 555"),
}
#: What became of a child: as a shell tells it (128 + signal) or as Python does (-signal); 124 is
#: `timeout` of coreutils, 126 and 127 are POSIX 2.8.2.
CHILD: dict[str, Meaning] = {
    **listed(MEMORY, "137 -9"),
    **listed(APPLICATION, "139 -11 127"),
    **listed(CANCELLED, "143 -15 130"),
    **listed(TIMEOUT, "124"),
}
_CHILD = (
    r"(?i:\b(?:exit(?:ed|s)?|return(?:ed)?|terminated|finished|failed|ended|died)\b[^\d\n]{0,70}?"
    r"\b(?:exit)?(?:code|status|value|with|of|was)\b[^\d\n-]{0,24})(-?\d{1,3})\b(?!\.?\d)"
    r"|^errno (1\d\d)$|(?i:non-?zero exit) \((\d{1,3})\)"
)
_CAMEL = r"[a-z]+(?:[A-Z][a-z]+)+"

CLOUDS = (
    codes("google", rf"\b([A-Z][A-Z_]{{8,50}}|{_CAMEL})\b", GOOGLE),
    codes("aws", r"\b([A-Z][A-Za-z2]{7,44})\b", AWS),
    codes("azure", r"\b([A-Z][A-Za-z]{8,40}?)(?:Exception)?\b", AZURE),
)
CLOUDS_FAULTS = (codes("google", rf"\b({_CAMEL})\b", GOOGLE_FAULTS),)
DATABASES = (
    codes("oracle", r"\b(?:ORA|TNS)-(\d{5})\b", ORACLE),
    codes(
        "mysql",
        r"\((\d{4}), ['\"]|(?i:\berror:? |\[)(\d{4})(?:\] | ?\([0-9A-Z]{5}\)|: )"
        r"|: (\d{4}) (?=[A-Z])|^(\d{4}): ",
        MYSQL,
    ),
)
SQL = (
    codes(
        "sqlstate",
        r"(?i:\bsql ?state(?: code)?)[ :=\[('\"]{1,3}([0-9A-Z]{5})\b|\(([0-9A-Z]{5})\)$",
        SQLSTATES,
        cut=2,
    ),
)
TOOLS = (codes("curl", r"(?i:\bcurl(?:: \(| error:? ))(\d{1,2})\b", CURL),)
MAIL = (
    words("smtp policy", PERMISSION, r"\b5[35]\d[ -]5\.7\.\d"),
    codes(
        "smtp",
        r"(?:SMTP\w{0,40}|ftplib\.error_temp)\W{1,4}(\d{3})\b|\((\d{3}), b['\"]"
        r"|\bresponseCode: (\d{3})\b|(?:^|[\s'\"])(\d{3})[ -]\d\.\d\.\d{1,2}\b",
        SMTP,
    ),
)
#: RFC 4511, appendix A, by number and by the names of python-ldap and ldap3.
LDAP: dict[str, Meaning] = {
    **listed(PERMISSION, "8 48 49 50 STRONG_AUTH_REQUIRED INAPPROPRIATE_AUTH"),
    **listed(PERMISSION, "INVALID_CREDENTIALS INSUFFICIENT_ACCESS"),
    **listed(TIMEOUT, "3 85 TIMELIMIT_EXCEEDED TIMEOUT"),
    **listed(CAPACITY, "4 11 SIZELIMIT_EXCEEDED ADMINLIMIT_EXCEEDED"),
    **listed(PLATFORM, "51 52 BUSY UNAVAILABLE"),
    **listed(NETWORK, "81 91 SERVER_DOWN CONNECT_ERROR"),
}
DIRECTORIES = (codes("ldap", r"\bldap\.([A-Z_]{4,30})\b|\bLDAP: error code (\d{1,2})\b", LDAP),)
#: The signal that ended a child, as those who waited for it tell (signal(7), Linux).
SIGNAL: dict[str, Meaning] = {
    **listed(MEMORY, "9"),
    **listed(CANCELLED, "1 2 3 15"),
    **listed(APPLICATION, "4 7 8 11 31"),
    **listed(TIMEOUT, "14 24"),
    **listed(DISK, "25"),
}
CHILDREN = (
    codes("a child ended with", _CHILD, CHILD),
    codes(
        "a child ended by signal",
        r"(?i:\bsignal(?: number)?[ =:(\"']{1,3}|waitpid returned |\bstatus=)(\d{1,2})\b(?![.\d])"
        r"(?!/(?:FAILURE|SUCCESS))",
        SIGNAL,
    ),
)
