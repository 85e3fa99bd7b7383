"""The API as OpenAPI 3.1, made of the same tables that requests are read with."""

from __future__ import annotations

from functools import cache
from typing import Any

from runyard_runner.model import endpoint, order

_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "number": {"type": "number"},
    "whole number": {"type": "integer"},
    "object": {"type": "object"},
    "string or object": {"type": ["string", "object", "array"]},
    "number or object": {"type": ["number", "object"]},
    "number, string or list": {"type": ["integer", "string", "array"]},
    "any": {},
}
_RESULT = {
    "endpoint": {"type": "string"},
    "name": {"type": "string"},
    "method": {"type": "string"},
    "status_code": {"type": "integer"},
    "success": {"type": "boolean"},
    "skipped": {"type": "boolean"},
    "response": {},
    "error": {"type": "string"},
    "note": {"type": "string"},
    "attempts": {"type": "integer"},
    "duration_ms": {"type": "number"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_ERRORS = {
    "400": "The request cannot be done as it is; every fault is named.",
    "401": "The request does not say who it is from.",
    "403": "The caller may not.",
    "413": "The body is too large.",
    "422": "The idempotency key came before, with another request.",
    "503": "The service is stopping.",
}


@cache
def openapi(version: str) -> dict[str, Any]:
    """The document."""
    json_of = _json_of
    executed = {
        "200": json_of("Every endpoint succeeded.", "Summary"),
        "207": json_of("An endpoint answered 207.", "Summary"),
        "500": json_of("An endpoint failed (FAILURE_STATUS sets this status).", "Summary"),
        **{status: json_of(words, "Error") for status, words in _ERRORS.items()},
    }
    body = {"content": {"application/json": {"schema": _reference("Order")}}}
    plain = {"200": {"description": "It is there."}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Runyard runner", "version": version},
        "security": [{"key": []}, {"token": []}],
        "paths": {
            "/": {"get": {"summary": "Documentation.", "responses": plain}},
            "/health": {"get": {"summary": "Alive?", "security": [], "responses": plain}},
            "/execute": {
                "post": {
                    "summary": "Call the endpoints.",
                    "requestBody": body,
                    "responses": executed,
                },
                "get": {"summary": "Call what is configured.", "responses": executed},
            },
            "/metrics": {"get": {"summary": "Counts.", "responses": plain}},
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
            "schemas": _schemas(),
        },
    }


def _schemas() -> dict[str, Any]:
    results = {"type": "array", "items": _reference("Result")}
    fields = _properties(order.FIELDS) | {
        "endpoints": {
            "type": "array",
            "items": {"oneOf": [{"type": "string", "format": "uri"}, _reference("Endpoint")]},
            "description": order.FIELDS["endpoints"][1],
        }
    }
    return {
        "Order": {"type": "object", "properties": fields, "additionalProperties": False},
        "Endpoint": {
            "type": "object",
            "properties": _properties(endpoint.FIELDS),
            "required": ["url"],
            "additionalProperties": False,
        },
        "Result": {"type": "object", "properties": _RESULT},
        "Summary": {
            "type": "object",
            "properties": {
                "success": {"type": "boolean"},
                **{
                    name: {"type": "integer"}
                    for name in ("total_endpoints", "successful", "failed", "warnings", "skipped")
                },
                "execution_mode": {"enum": ["parallel", "sequential"]},
                "results": results,
                "errors": {"type": "array", "items": {"type": "object"}},
                "details": {
                    "type": "object",
                    "properties": {"warnings": results, "errors": results},
                },
                "email_notification": {"type": "object"},
                "idempotency_key": {"type": "string"},
                "trace_id": {"type": "string"},
                "cut_short": {"type": "string"},
                "duration_ms": {"type": "number"},
                "timestamp": {"type": "string", "format": "date-time"},
            },
        },
        "Error": {
            "type": "object",
            "properties": {"success": {"const": False}, "error": {"type": "object"}},
        },
    }


def _properties(fields: dict[str, tuple[str, str, str]]) -> dict[str, Any]:
    return {
        name: _TYPES.get(kind, {}) | {"description": f"{meaning} Default: {default}."}
        for name, (kind, meaning, default) in fields.items()
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json_of(words: str, name: str) -> dict[str, Any]:
    return {
        "description": words,
        "content": {"application/json": {"schema": _reference(name)}},
    }
