"""Templates between our words and Google's."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import run_v2

from runyard.model.errors import ProviderRefused
from runyard.model.run import Overrides
from runyard.provider.gcp.templates import canonical, hidden, is_same, message, notes, read
from runyard.provider.gcp.templates import run_request as request
from tests.support.google_orders import JOB, PROJECT, make_order, make_template

DEFAULT_ACCOUNT = "123456-compute@developer.gserviceaccount.com"
GEN2 = "EXECUTION_ENVIRONMENT_GEN2"


def at_google(template: Any, **filled_in: Any) -> run_v2.ExecutionTemplate:
    """A template as Google shows it, with what it fills in."""
    made = message(template, PROJECT)
    for field, value in filled_in.items():
        setattr(made.template, field, value)
    return made


@pytest.mark.parametrize(
    "template",
    [
        make_template(),
        make_template("32Gi"),
        make_template(serviceAccount="nightly-report"),
        make_template(serviceAccount="other@elsewhere.iam.gserviceaccount.com"),
        make_template(executionEnvironment=GEN2, serviceAccount=DEFAULT_ACCOUNT),
        make_template(vpcAccess={"egress": "ALL_TRAFFIC", "networkInterfaces": [{"network": "n"}]}),
    ],
)
def test_what_is_said_is_read_back(template: Any) -> None:
    filled_in: dict[str, Any] = {"execution_environment": GEN2}
    if not template["template"].get("serviceAccount"):
        filled_in["service_account"] = DEFAULT_ACCOUNT
    for found in (at_google(template), at_google(template, **filled_in)):
        assert read(found, notes(template), PROJECT) == template
        assert is_same(template, found, PROJECT)


def test_a_short_account_is_sent_as_its_email() -> None:
    made = message(make_template(serviceAccount="nightly-report"), PROJECT)
    assert made.template.service_account == f"nightly-report@{PROJECT}.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service_account", "somebody@shop-prod.iam.gserviceaccount.com"),
        ("execution_environment", "EXECUTION_ENVIRONMENT_GEN1"),
        ("max_retries", 5),
        ("containers", [run_v2.Container(image="other")]),
    ],
)
def test_what_somebody_made_of_it_is_seen(field: str, value: Any) -> None:
    template = make_template()
    found = at_google(template, **{field: value})
    assert not is_same(template, found, PROJECT)
    assert read(found, notes(template), PROJECT) != template


def test_the_order_of_variables_and_the_form_of_amounts_make_no_difference() -> None:
    one, other = ({"name": name, "value": "1"} for name in "AB")
    template, turned = make_template(), make_template()
    template["template"]["containers"][0]["env"] = [one, other]
    turned["template"]["containers"][0]["env"] = [other, one]
    turned["template"]["containers"][0]["resources"]["limits"] = {"cpu": "1000m", "memory": "512Mi"}
    assert is_same(template, message(turned, PROJECT), PROJECT)


def test_what_is_no_template_to_us_is_left_as_it_is() -> None:
    odd = {"template": {"containers": []}, "taskCount": -1}
    assert canonical(odd) is odd


def test_a_request_changes_what_runjob_can_change() -> None:
    template = make_template()
    template["template"]["containers"][0]["name"] = "main"
    order = make_order(template=template, overrides=Overrides((), (), None, 1.5))
    made = request(order, JOB, '"7"')
    (container,) = made.overrides.container_overrides
    assert (made.name, made.etag, container.name) == (JOB, '"7"', "main")
    assert (container.clear_args, list(container.args)) == (True, [])
    assert made.overrides.timeout.total_seconds() == 1.5
    assert made.overrides.task_count == 0
    with_args = request(make_order(overrides=Overrides(("-v",))), JOB, "")
    (container,) = with_args.overrides.container_overrides
    assert (container.clear_args, list(container.args)) == (False, ["-v"])


def test_values_are_hidden() -> None:
    order = make_order(overrides=Overrides(("--key=k",), (("TOKEN", "t-value"),)))
    assert hidden(order) == ["t-value", "--key=k"]


def test_a_field_that_the_library_does_not_know_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="delayExecution"):
        message({**make_template(), "delayExecution": True}, PROJECT)
