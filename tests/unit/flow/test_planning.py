"""Plans: what changes, what drifted, what is unsafe, and what a token stands for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.planning import (
    Action,
    Declared,
    InForce,
    JobChange,
    Known,
    Live,
    Verdict,
    check_token,
    cloud_part,
    plan,
)
from runyard.flow.risks import DELETED, risk
from runyard.model.errors import InvalidSpec, StalePlan
from runyard.model.job import JobSpec
from tests.support.manifests import make_job

KEY = ("shop", "report")
IMAGE = "template.template.containers[0].image"


def document(image: str = "example/report:1", **beside: Any) -> dict[str, Any]:
    job = make_job(**beside)
    job["template"]["template"]["containers"][0]["image"] = image
    spec = JobSpec.from_document(job | {"project": "shop", "name": "report"})
    return dict(spec.document())


def declared(found: dict[str, Any], *ignored: str) -> Declared:
    return Declared(*KEY, found, ignored)


def known(found: dict[str, Any], *live: Live, prune: bool = False) -> Known:
    return Known("local", (InForce(*KEY, 4, found),), {KEY: live}, prune=prune)


def there(found: dict[str, Any], region: str = "us-central1", etag: str = "e1") -> Live:
    return Live(region, etag, cloud_part(found))


def only(planned: Any) -> JobChange:
    (job,) = planned.jobs
    assert isinstance(job, JobChange)
    return job


ONE, TWO, THREE = (document(f"example/report:{number}") for number in (1, 2, 3))


def test_a_job_that_is_not_there_is_created() -> None:
    planned = plan([declared(ONE)], Known("local", ()))
    job = only(planned)
    assert job == JobChange("shop", "report", Action.CREATE, 0, ONE)
    assert planned.environment == "local"
    assert planned.has_changes
    assert planned.is_safe


def test_a_job_as_declared_is_unchanged() -> None:
    planned = plan([declared(ONE)], known(ONE, there(ONE)))
    assert only(planned).action is Action.UNCHANGED
    assert not planned.has_changes


def test_a_changed_field_is_an_update_with_both_values() -> None:
    job = only(plan([declared(TWO)], known(ONE, there(ONE))))
    assert (job.project, job.action, job.base_revision) == ("shop", Action.UPDATE, 4)
    assert job.revises
    (field,) = job.fields
    assert (field.path, field.before, field.after) == (
        IMAGE, "example/report:1", "example/report:2",
    )  # fmt: skip
    assert field.why == ""


def test_a_job_that_is_missing_in_a_region_is_put_back() -> None:
    gone, never = Live("us-central1", "", None), Live("europe-west1", "", None)
    job = only(plan([declared(ONE)], known(ONE, gone, never)))
    assert (job.action, job.missing, job.revises) == (Action.UPDATE, ("us-central1",), False)


def test_a_new_region_is_a_change_and_not_missing() -> None:
    two = document(regions=["us-central1", "us-east1"])
    elsewhere = there(TWO, "us-east1")
    job = only(plan([declared(two)], known(ONE, there(ONE), elsewhere)))
    assert (job.missing, job.drift) == ((), ())
    assert [field.path for field in job.fields] == ["regions"]


def test_defaults_that_others_write_out_are_no_drift() -> None:
    live = json.loads(json.dumps(cloud_part(ONE)))
    live["template"]["parallelism"] = 0
    live["template"]["template"]["containers"][0] |= {"name": None, "workingDir": ""}
    del live["template"]["template"]["containers"][0]["name"]
    planned = plan([declared(ONE)], known(ONE, Live("us-central1", "e1", live)))
    assert only(planned).action is Action.UNCHANGED
    live["template"]["unheard"] = "of"
    planned = plan([declared(ONE)], known(ONE, Live("us-central1", "e1", live)))
    assert {one.path for one in only(planned).drift} >= {"template.unheard"}


@pytest.mark.parametrize(
    ("beside", "changed", "path"),
    [
        ({"regions": ["us-central1", "us-east1"]}, {"regions": ["us-central1"]}, "regions"),
        ({}, {"placement": "all"}, "placement"),
        ({"concurrency": {"limit": 1}}, {"concurrency": {"limit": 2}}, "concurrency.limit"),
        ({"concurrency": {"limit": 1}}, {"concurrency": {"limit": 0}}, "concurrency.limit"),
        (
            {},
            {"concurrency": {"on_conflict": "cancel_older"}},
            "concurrency.on_conflict",
        ),
    ],
)
def test_what_touches_more_than_the_job_is_unsafe(
    beside: dict[str, Any], changed: dict[str, Any], path: str
) -> None:
    planned = plan([declared(document(**changed))], known(document(**beside)))
    assert not planned.is_safe
    (said,) = only(planned).risks
    assert said.startswith(f"{path}: ")
    back = plan([declared(document(**beside))], known(document(**changed)))
    assert back.is_safe or path == "placement"


def test_a_limit_that_stays_is_no_risk() -> None:
    assert risk(("concurrency", "limit"), 2, 2) == ""


def test_another_identity_is_unsafe_and_so_is_a_volume_that_goes() -> None:
    before, after = document(), document()
    task = before["template"]["template"]
    task["volumes"] = [{"name": "data", "gcs": {"bucket": "reports"}}]
    after["template"]["template"]["serviceAccount"] = "other"
    said = only(plan([declared(after)], known(before))).risks
    assert {one.partition(": ")[0] for one in said} == {
        "template.template.volumes[data]",
        "template.template.serviceAccount",
    }


def test_drift_that_nobody_decided_is_reverted_and_unsafe() -> None:
    planned = plan([declared(ONE)], known(ONE, there(TWO)))
    job = only(planned)
    (drift,) = job.drift
    assert (drift.path, drift.applied, drift.live) == (
        IMAGE,
        "example/report:1",
        "example/report:2",
    )
    assert (drift.verdict, job.action, job.revises) == (None, Action.UPDATE, False)
    assert job.risks == (f"{IMAGE}: a change that somebody made in us-central1 is taken back",)
    assert job.deployed("us-central1") == cloud_part(ONE)


@pytest.mark.parametrize("pattern", [f"report.{IMAGE}", "report.template", "report", "*"])
def test_drift_is_adopted(pattern: str) -> None:
    job = only(plan([declared(ONE)], known(ONE, there(TWO)), {pattern: Verdict.ADOPT}))
    assert job.document == TWO
    assert [field.after for field in job.fields] == ["example/report:2"]
    assert (job.risks, job.revises) == ((), True)


def test_the_nearest_verdict_counts() -> None:
    said = {"*": Verdict.ADOPT, "report": Verdict.IGNORE, f"report.{IMAGE}": Verdict.REVERT}
    job = only(plan([declared(ONE)], known(ONE, there(TWO)), said))
    assert [drift.verdict for drift in job.drift] == [Verdict.REVERT]
    assert job.risks == ()
    assert job.action is Action.UPDATE


def test_a_job_of_one_letter_is_nearer_than_a_star() -> None:
    r = ("shop", "r")
    base = Known("local", (InForce(*r, 4, ONE),), {r: (there(TWO),)})
    said = {"*": Verdict.ADOPT, "r": Verdict.IGNORE}
    job = only(plan([Declared(*r, ONE)], base, said))
    assert [drift.verdict for drift in job.drift] == [Verdict.IGNORE]


def test_drift_that_the_manifest_ignores_stays_and_changes_nothing() -> None:
    job = only(plan([declared(ONE, IMAGE)], known(ONE, there(TWO)), {"*": Verdict.REVERT}))
    assert (job.action, job.document) == (Action.UNCHANGED, ONE)
    assert job.deployed("us-central1") == cloud_part(TWO)
    assert job.deployed("europe-west1") == cloud_part(ONE)


def test_what_drifted_to_what_is_declared_now_is_no_drift() -> None:
    job = only(plan([declared(TWO)], known(ONE, there(TWO))))
    assert job.drift == ()
    assert [field.after for field in job.fields] == ["example/report:2"]


def test_what_drifted_in_part_of_what_is_declared_otherwise_is_drift() -> None:
    """Whichever of the two is the larger part; and what is declared elsewhere does not matter."""
    plain, all_, some = document(), document(), document()
    for found, egress in ((all_, "ALL_TRAFFIC"), (some, "PRIVATE_RANGES_ONLY")):
        access = {"connector": "projects/p/locations/l/connectors/c", "egress": egress}
        found["template"]["template"]["vpcAccess"] = access
    whole, part = "template.template.vpcAccess", "template.template.vpcAccess.egress"
    for wished, applied, live, path in (
        (plain, all_, some, part),  # all of it is to go, and a part was changed
        (some, plain, all_, whole),  # it was brought, and a part of it is to be another
    ):
        job = only(plan([declared(wished)], known(applied, there(live))))
        assert [drift.path for drift in job.drift] == [path]
    job = only(plan([declared({**TWO, "labels": {"a": "b"}})], known(ONE, there(TWO))))
    assert job.drift == ()


def test_a_region_where_it_is_missing_hides_no_drift_in_another() -> None:
    both = {"regions": ["us-central1", "europe-west1"]}
    one, two = (document(f"example/report:{number}", **both) for number in (1, 2))
    lives = (Live("us-central1", "", None), there(two, "europe-west1"))
    job = only(plan([declared(one)], known(one, *lives)))
    assert (job.missing, [drift.region for drift in job.drift]) == (
        ("us-central1",),
        ["europe-west1"],
    )


def test_what_is_adopted_has_to_be_a_job() -> None:
    live = json.loads(json.dumps(cloud_part(ONE)))
    live["template"]["unheard"] = "of"
    base = known(ONE, Live("us-central1", "e1", live))
    with pytest.raises(InvalidSpec):
        plan([declared(ONE)], base, {"*": Verdict.ADOPT})


def test_where_regions_drifted_apart_the_first_is_adopted() -> None:
    both = {"regions": ["us-central1", "europe-west1"]}
    one, two, three = (document(f"example/report:{number}", **both) for number in (1, 2, 3))
    lives = (there(two), there(three, "europe-west1"))
    job = only(plan([declared(one)], known(one, *lives), {"*": Verdict.ADOPT}))
    assert job.document == two


def test_pruning_deletes_what_is_not_declared() -> None:
    other = InForce("shop", "other", 2, ONE)
    foreign = InForce("bank", "other", 2, ONE)
    everything = Known("local", (InForce(*KEY, 4, ONE), foreign, other), prune=True)
    planned = plan([declared(ONE)], everything)
    assert [(job.name, job.action) for job in planned.jobs] == [
        ("report", Action.UNCHANGED), ("other", Action.DELETE),
    ]  # fmt: skip
    gone = planned.jobs[1]
    assert gone == JobChange("shop", "other", Action.DELETE, 2, None, risks=(DELETED,))
    assert (gone.document, gone.deployed("us-central1")) == (None, None)
    assert not planned.is_safe
    assert len(plan([declared(ONE)], replace(everything, prune=False)).jobs) == 1
    more = replace(everything, in_force=(InForce("shop", "p", 1, ONE), *everything.in_force))
    pruned = plan([declared(ONE)], more)
    assert [job.name for job in pruned.jobs] == ["report", "other", "p"]
    for name, project, stale in (("other", "shop", True), ("other", "bank", False)):
        later = tuple(
            replace(job, revision=9) if (job.name, job.project) == (name, project) else job
            for job in more.in_force
        )
        again = plan([declared(ONE)], replace(more, in_force=later))
        assert (again.token != pruned.token) is stale


def test_a_token_fits_the_same_plan_only() -> None:
    wish, base = [declared(TWO)], known(ONE, there(ONE))
    token = plan(wish, base).token
    assert re.fullmatch("plan_[0-9a-f]{20}-[0-9a-f]{20}", token)
    assert plan([declared(dict(reversed(TWO.items())))], base).token == token
    check_token(token, plan(wish, base))
    later = Known("local", (InForce(*KEY, 5, ONE),), base.live)
    moved = known(ONE, there(ONE, etag="e2"))
    for other in (later, moved):
        with pytest.raises(StalePlan, match="the plan is stale") as stale:
            check_token(token, plan(wish, other))
        assert "look at a new `runyard plan`" in stale.value.hint
    elsewhere = replace(base, environment="prod")
    for wished, there_, said in (
        ([declared(THREE)], base, {}),
        (wish, elsewhere, {}),
        (wish, replace(base, prune=True), {}),
        (wish, base, {"*": Verdict.ADOPT}),
    ):
        with pytest.raises(StalePlan, match="another manifest"):
            check_token(token, plan(wished, there_, said))


def test_a_token_does_not_mind_what_it_is_not_about() -> None:
    wish, base = [declared(TWO)], known(ONE, there(ONE))
    more = replace(base, in_force=(*base.in_force, InForce("shop", "other", 9, ONE)))
    assert plan(wish, base).token == plan(wish, more).token
    assert plan([], base).token != plan(wish, base).token


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_jobs_is_not_part_of_a_token(names: list[str]) -> None:
    jobs = [Declared("shop", name, ONE) for name in names]
    ordered = [Declared("shop", name, ONE) for name in sorted(names)]
    base = Known("local", tuple(InForce("shop", name, 1, ONE) for name in names))
    assert plan(jobs, base).token == plan(ordered, base).token
