"""What the executor does not keep is said once, with its first place."""

from __future__ import annotations

from runyard.cli.job_table import unkept
from runyard.model.errors import Fault
from runyard.model.executors import is_unkept, unenforced
from tests.support.manifests import make_job, read_job


def test_what_is_not_kept_is_said_once_for_all_jobs() -> None:
    found = [fault for fault in unenforced(read_job(make_job())) if is_unkept(fault)]
    told = list(unkept(found * 3))
    assert len(told) == len(found) == 2
    assert [text.partition(" is not kept")[0] for text in told] == ["serviceAccount", "image"]
    assert all(text.endswith("(and 2 more like it)") for text in told)


def test_the_first_place_is_told() -> None:
    fault = Fault("a.volumeMounts[0]", "", "", "it stands elsewhere", "runyard.yaml", 4, 7)
    assert list(unkept([fault])) == [
        "runyard.yaml:4:7: volumeMounts is not kept on this machine: it stands elsewhere"
    ]


def test_a_missing_command_is_a_warning_of_its_own() -> None:
    container = {"image": "example/report:1"}
    job = {"template": {"template": {"containers": [container], "serviceAccount": "some-job"}}}
    assert [fault.path for fault in unenforced(read_job(job)) if not is_unkept(fault)]
