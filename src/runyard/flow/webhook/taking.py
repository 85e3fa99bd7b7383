"""What becomes of a delivery that is believed: a run, or the reason why not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from runyard.flow.mapping import mapped
from runyard.flow.webhook.proving import Headers, key_of, sender_key
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.filters import matches
from runyard.model.run import Overrides
from runyard.model.trigger.filtering import expression, values, written
from runyard.model.trigger.pointing import BODY, HEADERS, Told, find
from runyard.model.trigger.senders import GithubSender, SlackSender
from runyard.model.trigger.webhook import WebhookSpec

ID_KEY = "id/"  #: how the keys of senders begin, so that they can make none of ours


@dataclass(frozen=True, slots=True)
class Filtered:
    """It asks for no run, and that is as it should be."""

    reason: str


def take(spec: WebhookSpec, told: Told) -> Overrides | Filtered:
    """What a run that a delivery asks for differs in; or that it asks for none.

    Raises InvalidSpec when it asks for one and does not fit the map.
    """
    if greeting := _greeting(spec, told):
        return Filtered(greeting)
    asked = None if spec.filter is None else expression(spec.filter, (BODY, HEADERS))
    if not matches(asked, values(told)):
        return Filtered("the filter leaves it out")
    return mapped(spec.map, told, spec.asking.overrides())


def challenge_of(spec: WebhookSpec, told: Told) -> str | None:
    """What Slack wants to have back, when it asks whose address this is."""
    if not isinstance(spec.webhook, SlackSender) or find(told, "body.type") != "url_verification":
        return None
    challenge = find(told, "body.challenge")
    return challenge if isinstance(challenge, str) else None


def delivery_key(spec: WebhookSpec, headers: Headers, told: Told) -> str:
    """What tells a delivery from the trigger's others, as it is kept; empty when nothing does.

    Raises InvalidSpec when the trigger's `key` is not there.
    """
    if spec.key is None:
        key = sender_key(spec.webhook, headers)
        return f"{ID_KEY}{key}" if key else ""
    value = find(told, spec.key)
    if value is None:
        fault = Fault(spec.key, "nothing", "a value, by which deliveries are told apart")
        raise InvalidSpec("what was sent has not the trigger's key", faults=(fault,))
    return f"{ID_KEY}{key_of(written(value))}"


def _greeting(spec: WebhookSpec, told: Told) -> str:
    """What a sender sends to see whether somebody is there."""
    if isinstance(spec.webhook, GithubSender) and find(told, "headers.x-github-event") == "ping":
        return "it is GitHub's ping"
    return "" if challenge_of(spec, told) is None else "Slack asked whose address this is"
