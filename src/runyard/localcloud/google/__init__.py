"""Google's own face of the cloud on this machine: the Cloud Run Admin API v2 over HTTP and JSON.

It keeps Google's contract, not ours, so that Google's client libraries work on it unmodified; and
it needs none of them: requests and answers are plain JSON (the proto3 JSON mapping).
"""
