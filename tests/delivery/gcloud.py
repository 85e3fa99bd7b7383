"""Stands for `gcloud`: keeps one service in a file, writes down every call, serves what is asked.

`python gcloud.py WORDS…` with FAKE_GCLOUD, a folder. `state.json` in it holds revisions, traffic,
tags and the URLs they answer at; `calls` has one line of JSON a call, with the file it was given.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKE_GCLOUD"])  # noqa: TID251


def _flag(words: list[str], name: str) -> str | None:
    found = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    return found[-1] if found else None


def _traffic(state: dict[str, Any]) -> list[dict[str, Any]]:
    serving = [{"revisionName": name, "percent": 100} for name in filter(None, [state["serving"]])]
    tagged = [
        {"revisionName": name, "tag": tag, "url": state["candidate_url"]}
        for tag, name in state["tags"].items()
    ]
    return serving + tagged


def _describe(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "runner"},
        "status": {
            "url": state["url"],
            "latestCreatedRevisionName": state["revisions"][-1],
            "traffic": _traffic(state),
        },
    }


def _deploy(state: dict[str, Any], words: list[str]) -> None:
    name = f"runner-{len(state['revisions']) + 1:05}"
    if state["refuses"]:
        sys.exit("ERROR: (gcloud.run.deploy) the container did not start")
    state["revisions"].append(name)
    if "--no-traffic" not in words:
        state["serving"] = name
    if tag := _flag(words, "--tag"):
        state["tags"][tag] = name


def _update_traffic(state: dict[str, Any], words: list[str]) -> None:
    if target := _flag(words, "--to-revisions"):
        name, _, percent = target.partition("=")
        assert percent == "100"
        assert name in state["revisions"]
        state["serving"] = name
    if tag := _flag(words, "--remove-tags"):
        state["tags"].pop(tag, None)


def main(words: list[str]) -> None:
    """Answer one call."""
    path = FOLDER / "state.json"
    state = json.loads(path.read_text())
    given = _flag(words, "--env-vars-file") or _flag(words, "--policy-from-file")
    with (FOLDER / "calls").open("a") as file:
        file.write(json.dumps({"words": words, "file": given and Path(given).read_text()}) + "\n")
    match words[:3]:
        case ["run", "services", "list"]:
            print(json.dumps([_describe(state)] if state["revisions"] else []))
        case ["run", "services", "describe"]:
            print(json.dumps(_describe(state)))
        case ["run", "services", "update-traffic"]:
            _update_traffic(state, words)
        case ["run", "deploy", _]:
            _deploy(state, words)
        case ["auth", "print-identity-token", *_]:
            print(state["token"])
        case ["alpha", "monitoring", "policies"]:
            print(state["policies"] if words[3] == "list" else "")
        case _:
            sys.exit(f"ERROR: no such command: {words}")
    path.write_text(json.dumps(state))


if __name__ == "__main__":
    main(sys.argv[1:])
