"""FACE: what does a caller send, and what do they get? Starlette, and nothing above it."""
