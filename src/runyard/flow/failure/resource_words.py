"""Words of what is short: memory, disk, files, connections, quotas and rates, room. Pure.

Runtimes, databases, pools and clouds say it in words of their own; time that ran out on a task that
was killed for it stands first, since it is told in the words of memory.
"""

from __future__ import annotations

from runyard.flow.failure import codes
from runyard.flow.failure.saying import CAPACITY, DISK, MEMORY, TIMEOUT, Rule, words

# fmt: off
RESOURCES: tuple[Rule, ...] = (
    words("task timeout", TIMEOUT,
          r"(?:execution|job|run|step|build|task) took (?:longer|more) than",
          r"because the time ?(?:out|limit) was", r"before timing out",
          r"(?:killed|stopped|terminated|aborted) (?:because|since|as) .{1,40}\btime",
          r"(?:start|stop) operation timed out", r"result '?timeout\b",
          r"longer than (?:the |a )?(?:\w{1,12} ){0,2}deadline", r"killed.{1,40}deadline exceeded",
          r"(?:time-?out|deadline).{1,40}\bkill(?:ed|ing)\b", r"SQLTimeoutException",
          r"time-?out \(\d{1,6} ?m?s > \d{1,6} ?m?s\)", r"appears? to be stuck",
          r"failed to report status",
          r"(?:exceed(?:ed|s)|over|reached) (?:the |its |a )?limit of [\d.]{1,9} ?(?:ms|s|m|h"
          r"|sec|min|hour)\w{0,6}\b",
          r"no (?:\w{1,20} )?(?:activity|progress|output) (?:\w{1,20} ){0,4}in the last"),
    words("processes and files", CAPACITY,
          r"\bE[MN]FILE\b", r"can't start new thread", r"cannot fork",
          r"(?:fork|clone|pthread_create|spawn|thread).{0,80}temporarily unavailable",
          r"unable to create (?:new )?(?:native )?thread",
          r"too many (?:open )?(?:processes|files)", r"inotify watches", r"no buffer space",
          r"number of inotify", r"fork: retry", r"resource temporarily unavailable",
          r"BlockingIOError", r"file watchers reached", r"unable to start (?:new )?thread"),
    words("memory", MEMORY,
          r"out[- ]?of[- ]?memory", r"\b(?:\w{0,20}Array)?MemoryError\b", r"NoMemoryError",
          r"std::bad_alloc",
          r"(?:cannot|could not|unable to|failed to) allocate (?:memory|vector|buffer|block"
          r"|array)\b", r"\bENOMEM\b", r"\boom[-_ ]?kill", r"memory limit of .{1,20} exceeded",
          r"Allocation failed", r"unable to allocate [\d.]{1,12} ?[KMGT]i?B", r"AllocationError",
          r"ALLOC_FAILED", r"^\W{0,4}killed(?: +\S{1,80})?$", r": +(?:\d{1,9} )?killed\b",
          r"allowed memory size of \d+ bytes", r"signal:? (?:9\b|killed|SIGKILL)", r"SIGKILL\b",
          r"(?:insufficient|not enough) (?:\w{1,20} )?memory", r"GC overhead limit",
          r"reserve enough space for .{1,40} heap",
          r"(?:exceed(?:ed|ing|s)|over) (?:(?:the|its) )?(?:\w{1,12}% |\w{1,20} )?memory",
          r"memory limit (?:is |was |has been )?exceeded",
          r"memory exhausted", r"exhausted (?:the )?(?:\w{1,20} )?memory",
          r"beyond (?:the )?(?:physical|virtual) memory", r"\bv?mem \S{1,20} exceeded limit",
          r"\bOOM\b", r"spark\.driver\.maxResultSize",
          r"heap (?:space|limit|exhausted|is exhausted)", r"Metaspace$",
          r"killed signal terminated", r"mmap failed", r"shared memory"),
    words("disk", DISK,
          r"no space left", r"\bENOSPC\b", r"\[Errno (?:28|122)\]", r"disk quota exceeded",
          r"\bEDQUOT\b", r"(?:disk|filesystem|volume|device|tablespace) (?:is |was )?full",
          r"out of disk",
          r"(?:not enough|insufficient|out of|no) (?:free |disk |storage ){1,2}space",
          r"(?:not|n't) (?:have )?enough (?:free )?space", r"flood[- ]stage",
          r"storage usage exceed", r"cluster_block_exception.{1,80}read-only",
          r"more space needed",
          r"SQLITE_FULL", r"unable to extend", r"could not (?:extend|write to) file",
          r"read-only-allow-delete", r"not able to persist on disk",
          r"low on resource: ephemeral", r"file too large$", r"\bEFBIG\b"),
    *codes.CHILDREN,
    words("room in a pool", CAPACITY,
          r"could not obtain a (?:database )?connection", r"QueuePool limit", r"PoolTimeout",
          r"pool (?:is )?(?:probably )?(?:exhausted|full|timed out|empty)", r"pooled connections",
          r"connection from (?:the )?(?:\w{1,12} )?pool\b", r"timeout acquiring a connection",
          r"connection is not available, request timed out", r"dropped from queue",
          r"Cannot get a connection, pool error", r"PoolExhausted", r"ConnectionAcquireTimeout",
          r"PoolError"),
    words("room for a connection", CAPACITY,
          r"connection slots", r"too many (?:\w{1,20} )?connections",
          r"ny connections\b", r"max_user_connections", r"max_connections",
          r"connection limit (?:exceeded|reached)",
          r"max(?:imum)? (?:\w{1,12} ){0,3}(?:clients|connections|sessions|users) (?:has been "
          r"|was )?reached", r"too many (?:sessions|logins|users|clients)",
          r"\bmax(?:imum)? (?:of )?\d{1,6} (?:users|clients|connections|sessions)"),
    words("quota", CAPACITY,
          r"RESOURCE_?EXHAUSTED", r"resources? (?:has been |have been )?exhausted",
          r"quota[ _]?(?:has been |was |is )?(?:exceeded|exhausted|reached)", r"quota metric",
          r"(?:over|exceed(?:s|ed|ing)?) (?:\w{1,12} ){0,4}quota", r"out of quota",
          r"rate[ _-]?limit", r"limit ?(?:ed)? reached for",
          r"too ?many ?(?:\w{1,12} )?(?:requests|operations|calls|attempts|tasks|queries)\b",
          r"reached (?:its|your|the) (?:(?!time|run|specified)\w{1,20} ){1,3}limit\b",
          r"request rate (?:is |too )?large", r"RequestRateTooLarge", r"\bThrottl(?:ed|ing)",
          r"rate exceeded", r"\bSlowDown\b", r"slow down\b", r"reduce your request rate",
          r"(?<!time)(?<!time )(?<!backoff)(?<!retry)(?<!recursion )(?<!size )(?<!depth )limit"
          r" ?exceeded", r"quota '?[\w-]{1,40}'? (?:has been |was )?(?:exceeded|reached)",
          r"hit your (?:\w{1,12} )?limit",
          r"max(?:imum)? (?:number|amount) of .{1,40} (?:reached|exceeded)",
          r"\blimit of [\d,]{1,12} .{1,40}(?:reached|exceeded)", r"usage limit",
          r"(?:daily|upload|sending|usage|hourly|monthly"
          r"|request) limit (?:\w{1,12} )?(?:exceeded|reached)",
          r"limit for .{1,40} (?:exceeded|reached)",
          r"insufficient[ _](?:capacity|quota|tokens|funds|balance|credits?)",
          r"(?:balance|credits?) (?:is|are) too low", r"flood control", r"\bflood[ _]?wait",
          r"greater capacity", r"(?:increase in|increase your) (?:\w{1,12} )?quota",
          r"operations? quota", r"RESOURCE_POOL_EXHAUSTED", r"enough resources",
          r"insufficient resources", r"reached the maximum number", r"no (?:available )?capacity",
          r"capacity (?:exceeded|is not available|is unavailable|reached)",
          r"out of (?:\w{1,12} )?capacity",
          r"provisioned throughput .{1,40}exceeded",
          r"(?:currently|temporarily|model is) (?:at|over) capacity", r"stockout",
          r"resources exceeded during", r"billing hard limit"),
)
# fmt: on
