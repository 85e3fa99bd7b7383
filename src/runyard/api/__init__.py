"""FACE: HTTP. REST with OpenAPI, one error shape, a token required."""
