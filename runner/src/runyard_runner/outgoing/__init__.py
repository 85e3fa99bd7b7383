"""HANDS: how is an endpoint called, so that a call can do no harm?

One HTTP/1.1 client on httptools and asyncio: the address is pinned after the check, redirects are
followed by hand, a response is cut off at its limit while it comes in. Why it is ours and not a
library's is in docs/decisions.
"""
