"""The seed's design, to measure against: Flask, a request by `requests` each, a pool a call.

It keeps the shape of the service that the architecture draws: `POST /execute` reads its endpoints
from the request or from ENDPOINTS, calls them on a fresh ThreadPoolExecutor(5), and answers with
the aggregate. It checks no address, bounds no response, pins no name.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import Any

import requests
from flask import Flask, Response, jsonify, request

WORKERS = 5
app = Flask(__name__)


def call(endpoint: str | dict[str, Any]) -> dict[str, Any]:
    """One endpoint, as the reference calls it: a connection of its own each time."""
    told: Any = {"url": endpoint} if isinstance(endpoint, str) else endpoint
    method, url = told.get("method", "POST"), told["url"]
    try:
        response = requests.request(
            method,
            url,
            headers=told.get("headers"),
            json=told.get("json"),
            data=told.get("body"),
            params=told.get("params"),
            timeout=told.get("timeout", 30),
        )
    except requests.RequestException as error:
        return {"endpoint": url, "method": method, "error": str(error), "success": False}
    is_json = "application/json" in response.headers.get("Content-Type", "")
    return {
        "endpoint": url,
        "method": method,
        "status_code": response.status_code,
        "response": response.json() if is_json else response.text,
        "success": response.ok,
        "timestamp": datetime.now().isoformat(),
    }


@app.post("/execute")
def execute() -> tuple[Response, int]:
    """All endpoints, side by side or one after the other."""
    order = request.get_json(silent=True) or {}
    endpoints = order.get("endpoints") or json.loads(os.environ.get("ENDPOINTS", "[]"))
    if order.get("parallel", True):
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            futures = [pool.submit(call, endpoint) for endpoint in endpoints]
            results = [future.result() for future in as_completed(futures)]
    else:
        results = [call(endpoint) for endpoint in endpoints]
    failed = [result for result in results if not result["success"]]
    answer = {
        "success": not failed,
        "total_endpoints": len(endpoints),
        "successful": len(results) - len(failed),
        "failed": len(failed),
        "execution_mode": "parallel" if order.get("parallel", True) else "sequential",
        "results": results,
        "errors": failed,
        "timestamp": datetime.now().isoformat(),
    }
    return jsonify(answer), 200 if not failed else 500


@app.get("/health")
def health() -> Response:
    """Alive."""
    return jsonify({"status": "ok", "timestamp": datetime.now().isoformat()})
