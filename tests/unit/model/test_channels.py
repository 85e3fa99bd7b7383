"""How people are told, as a manifest says it."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.model.environment import Environment
from runyard.model.errors import InvalidSpec
from runyard.model.manifest import Source, environments_in

TEXT = """\
project: shop
environments:
  prod:
    channels:
      mail:
        email: {host: mail.example.com, user: alerts, password: {secret: mail-password},
                from: alerts@example.com, to: [ops@example.com]}
      chat: {slack: {url: {secret: slack-url}}}
      on-call: {pagerduty: {routingKey: {secret: pagerduty-key, version: "3"}}}
      hook: {webhook: {url: "https://ops.example.com/hook", key: {secret: hook-key}}}
    routes:
      - {to: [on-call], severity: critical}
      - {to: [chat], labels: {team: data}, hours: {days: mon-fri, from: "08:00", to: "18:00"}}
    escalation: [{after: 30m, to: [on-call, mail]}]
    maintenance: [{from: sun 02:00, until: sun 04:00, jobs: [report]}]
"""


def loaded(text: str) -> Environment:
    return environments_in([Source("runyard.yaml", text)]).environments["prod"]


def test_what_a_manifest_says_comes_back_whole() -> None:
    prod = loaded(TEXT)
    document = prod.document()
    assert Environment.from_document(document) == prod
    assert document["channels"]["mail"]["email"]["password"] == {
        "secret": "mail-password", "version": "latest",
    }  # fmt: skip
    assert [one.kind for one in prod.channels.values()] == [
        "email", "slack", "pagerduty", "webhook",
    ]  # fmt: skip
    assert document["escalation"] == [
        {"after": "1800s", "to": ["on-call", "mail"], "severity": "info"}
    ]
    assert list(Environment().document()) == ["provider", "approvals"]


@pytest.mark.parametrize(
    ("before", "after", "path", "words"),
    [
        (
            "{slack: {url: {secret: slack-url}}}",
            "{}",
            "chat",
            "a channel with exactly one of email",
        ),
        ("{secret: slack-url}", "https://hooks.slack.com/x", "chat.slack.url", "a mapping"),
        ("https://ops.", "http://ops.", "hook.webhook.url", "an https:// URL"),
        ("{secret: hook-key}", "{secret: a/b}", "hook.webhook.key.secret", "a secret's name"),
        ("[ops@example.com]", "[]", "mail.email.to", "a list of 1 to 50"),
        ("alerts@example.com", "alerts", "mail.email.from", "an e-mail address"),
        ("critical", "urgent", "routes[0].severity", "one of info, warning, error, critical"),
        ("mon-fri", "workdays", "routes[1].hours.days", "days of the week"),
        ("30m", "30", "escalation[0].after", "a duration"),
        ("chat: {slack", "log: {slack", "channels.log", "not log, which is the server's own log"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, path: str, words: str) -> None:
    assert before in TEXT
    with pytest.raises(InvalidSpec) as caught:
        loaded(TEXT.replace(before, after))
    found: Any = caught.value.faults[0]
    assert found.path.endswith(path)
    assert words in found.expected
