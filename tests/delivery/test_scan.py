"""`scan.sh`: one scan, three reports, and a verdict that never takes ignorance for health."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.linters import linter
from tests.support.tree import ROOT

SCAN = ROOT / "deploy" / "runner" / "scan.sh"
#: Stands for Trivy: writes what it is told it has found.
FAKE = """\
#!/bin/sh
echo "$*" >> "$CALLS"
while [ "$1" != --output ]; do shift; done
cp "$FOUND" "$2"
"""


def _finding(severity: str, fixed: str) -> dict[str, str]:
    return {
        "VulnerabilityID": "CVE-2026-1",
        "PkgName": "musl",
        "InstalledVersion": "1.2.5",
        "FixedVersion": fixed,
        "Severity": severity,
    }


def _scan(folder: Path, found: object) -> subprocess.CompletedProcess[str]:
    (folder / "found.json").write_text(json.dumps(found))
    fake = folder / "trivy"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    return subprocess.run(
        ["sh", SCAN, folder / "image.tar", folder],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TRIVY": str(fake),
            "FOUND": str(folder / "found.json"),
            "CALLS": str(folder / "calls"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ({}, 0),
        ({"Results": None}, 0),
        ({"Results": [{"Target": "alpine"}]}, 0),
        ({"Results": [{"Vulnerabilities": [_finding("HIGH", "")]}]}, 0),
        ({"Results": [{"Vulnerabilities": [_finding("MEDIUM", "1.2.6")]}]}, 0),
        ({"Results": [{"Vulnerabilities": [_finding("HIGH", "1.2.6")]}]}, 1),
        ({"Results": [{"Vulnerabilities": [_finding("CRITICAL", "1.2.6")]}]}, 1),
        ({"Results": [{"Target": "/app/.env", "Secrets": [{"Title": "Slack token"}]}]}, 1),
    ],
)
def test_what_can_be_mended_holds_it_up(tmp_path: Path, found: object, status: int) -> None:
    done = _scan(tmp_path, found)
    assert done.returncode == status, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["image", "convert", "convert"]
    for name in ("trivy.json", "trivy.sarif", "trivy.txt"):
        assert (tmp_path / name).exists()
    if status:
        assert "scan: " in done.stderr


def _image(path: Path) -> None:
    """An image as `docker save` writes it, with one file in one layer."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        _add(archive, "etc/os-release", b'ID=alpine\nVERSION_ID="3.22.0"\n')
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": ["a:b"], "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        _add(archive, "config.json", json.dumps(config).encode())
        _add(archive, "layer.tar", layer.getvalue())
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def test_without_a_database_there_is_no_verdict(tmp_path: Path) -> None:
    _image(tmp_path / "image.tar")
    done = subprocess.run(
        ["sh", SCAN, tmp_path / "image.tar", tmp_path],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TRIVY": str(linter("trivy")),
            "TRIVY_CACHE_DIR": str(tmp_path / "cache"),
            "TRIVY_SKIP_DB_UPDATE": "true",
            "TRIVY_OFFLINE_SCAN": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be specified on the first run" in done.stderr
    assert not (tmp_path / "trivy.txt").exists()


#: Stands for the scan alone; the reports are made by Trivy itself.
HALF = """\
#!/bin/sh
[ "$1" = image ] || exec "$REAL" "$@"
while [ "$1" != --output ]; do shift; done
cp "$FOUND" "$2"
"""


def test_the_reports_are_what_trivy_makes_of_one_scan(tmp_path: Path) -> None:
    finding = _finding("HIGH", "1.2.6") | {"PkgID": "musl@1.2.5", "Title": "a hole in musl"}
    report = {
        "SchemaVersion": 2,
        "ArtifactName": "image.tar",
        "ArtifactType": "container_image",
        "Results": [
            {
                "Target": "image.tar (alpine 3.22.0)",
                "Class": "os-pkgs",
                "Type": "alpine",
                "Vulnerabilities": [finding],
            }
        ],
    }
    (tmp_path / "found.json").write_text(json.dumps(report))
    program = tmp_path / "trivy"
    program.write_text(HALF)
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", SCAN, tmp_path / "image.tar", tmp_path],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TRIVY": str(program),
            "REAL": str(linter("trivy")),
            "FOUND": str(tmp_path / "found.json"),
            "TRIVY_CACHE_DIR": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "scan: CVE-2026-1 in musl 1.2.5, mended in 1.2.6" in done.stderr
    assert "CVE-2026-1" in (tmp_path / "trivy.txt").read_text()
    assert "CVE-2026-1" in done.stdout
    (run,) = json.loads((tmp_path / "trivy.sarif").read_text())["runs"]
    assert [each["ruleId"] for each in run["results"]] == ["CVE-2026-1"]
    assert json.loads((tmp_path / "trivy.json").read_text())["Results"]
