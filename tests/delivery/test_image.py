"""The image, built for real on a base made here, and run as nobody on a root that is read-only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks._rivals import target
from tests.delivery.rig import KEY, free_port, until_it_listens
from tests.support.tree import ROOT

TOOLS = ("buildah", "podman", "runc", "debootstrap")
IMAGE = "localhost/runyard-runner:test"
#: What podman needs where control groups are mixed and limits may not be raised.
CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
SAFE = (
    "--pull=never", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges",
    "--no-healthcheck",
)  # fmt: skip
#: What the inside of the image tells of itself.
INSIDE = """
import glob, importlib.util, json, os, pwd, sys, sysconfig
stdlib = sysconfig.get_path("stdlib")
sources = [p for f in ("/app", stdlib) for p in glob.glob(f + "/**/*.py", recursive=True)]
try:
    open("/app/x", "w")
    is_writable = True
except OSError:
    is_writable = False
print(json.dumps({
    "user": [os.getuid(), os.getgid(), pwd.getpwuid(os.getuid()).pw_name],
    "is_writable": is_writable,
    "installers": [n for n in ("pip", "setuptools", "wheel", "ensurepip", "pkg_resources")
                   if importlib.util.find_spec(n)],
    "programs": glob.glob("/usr/local/bin/pip*") + glob.glob("/usr/bin/pip*"),
    "without_bytecode": [p for p in sources
                         if not os.path.exists(importlib.util.cache_from_source(p))],
    "sources": len(sources),
}))
"""


@pytest.fixture
def podman(tmp_path: Path) -> list[str]:
    """Podman, after the image is built; the test is skipped where that cannot be done."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"the image is built by root with: apt-get install {' '.join(TOOLS)}")
    (tmp_path / "containers.conf").write_text(CONTAINERS)
    built = subprocess.run(
        ["sh", ROOT / "deploy" / "runner" / "build-here.sh", IMAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return ["env", f"CONTAINERS_CONF={tmp_path / 'containers.conf'}", "podman"]


@contextmanager
def _running(podman: list[str], port: int) -> Iterator[str]:
    """A container with the service; its name."""
    started = subprocess.run(
        [*podman, "run", "--detach", *SAFE, "--network=host", f"--env=PORT={port}",
         f"--env=API_KEY={KEY}", "--env=ALLOW_PRIVATE_NETWORKS=true", IMAGE],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    name = started.stdout.strip()
    try:
        until_it_listens(port)
        yield name
    finally:
        subprocess.run([*podman, "rm", "--force", name], capture_output=True, check=True)


def _execute(port: int, target_port: int) -> Any:
    order = {
        "endpoints": [f"http://127.0.0.1:{target_port}/a", f"http://127.0.0.1:{target_port}/b"]
    }
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/execute",
        data=json.dumps(order).encode(),
        headers={"X-API-Key": KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def test_the_image_holds_what_it_promises_and_does_its_work(podman: list[str]) -> None:
    told = subprocess.run(
        [*podman, "run", "--rm", *SAFE, "--network=none", "--entrypoint=python", IMAGE,
         "-c", INSIDE],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    inside = json.loads(told.stdout)
    assert inside.pop("sources") > 500
    assert inside == {
        "user": [1000, 1000, "appuser"],
        "is_writable": False,
        "installers": [],
        "programs": [],
        "without_bytecode": [],
    }
    port = free_port()
    processors = os.sched_getaffinity(0)
    with target(0, processors) as target_port, _running(podman, port) as name:
        answer = _execute(port, target_port)
        assert (answer["success"], answer["successful"]) == (True, 2)
        subprocess.run([*podman, "stop", "--time=10", name], capture_output=True, check=True)
        state = subprocess.run(
            [*podman, "inspect", "--format={{.State.ExitCode}}", name],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert state.stdout.strip() == "0"  # SIGTERM ends it well


def test_every_dependency_has_a_wheel_for_alpine(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "env",
            f"PYTHON={sys.executable}",
            "sh",
            ROOT / "deploy" / "runner" / "wheels.sh",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "onnection" in done.stderr:
        pytest.skip("no registry of packages can be reached")
    assert done.returncode == 0, done.stderr
    wheels = [path.name for path in tmp_path.iterdir()]
    assert len(wheels) >= 15
    assert [name for name in wheels if "musllinux" not in name and "-none-any" not in name] == []
