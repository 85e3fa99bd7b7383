"""How resources, members and service accounts are called. Pure."""

from __future__ import annotations

import re
from hashlib import blake2b

from runyard.model.errors import Fault, InvalidSpec

#: The projects of one environment keep their secrets in one project of this name.
LOCAL = "local"
_PART = r"[^/\s]{1,255}"
# fmt: off
_RESOURCES: dict[str, re.Pattern[str]] = {
    "project":        re.compile(rf"projects/({_PART})"),
    "job":            re.compile(rf"projects/({_PART})/locations/{_PART}/jobs/{_PART}"),
    "secret":         re.compile(rf"projects/({_PART})/secrets/{_PART}"),
    "bucket":         re.compile(rf"projects/(_)/buckets/{_PART}"),
    "topic":          re.compile(rf"projects/({_PART})/topics/{_PART}"),
    "serviceAccount": re.compile(rf"projects/({_PART})/serviceAccounts/{_PART}"),
}
# fmt: on
_EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
_MEMBER = re.compile(
    r"(?:user|serviceAccount|group|domain):[^\s:?]{1,255}"
    r"|deleted:(?:user|serviceAccount|group):[^\s:?]{1,255}\?uid=[0-9]{1,30}"
)
_ROLE = re.compile(r"(?:(?:projects|organizations)/[a-z0-9:.-]+/)?roles/[A-Za-z0-9_.]{1,100}")
_ACCOUNT_ID = re.compile(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])")
_DOMAIN = "gserviceaccount.com"


def project_name(project: str) -> str:
    """The resource name of a project."""
    return f"projects/{project}"


def job_name(project: str, region: str, job: str) -> str:
    """The resource name of a job."""
    return f"projects/{project}/locations/{region}/jobs/{job}"


def secret_name(project: str, secret: str) -> str:
    """The resource name of a secret."""
    return f"projects/{project}/secrets/{secret}"


def bucket_name(bucket: str) -> str:
    """The resource name of a bucket; buckets are unique in the world, so they name no project."""
    return f"projects/_/buckets/{bucket}"


def topic_name(project: str, topic: str) -> str:
    """The resource name of a topic."""
    return f"projects/{project}/topics/{topic}"


def secrets_project(project: str) -> str:
    """The project that keeps the secrets of `project`: one for each environment, so that `shop` and
    `bank` share theirs and `shop:prod` has others."""
    return project.partition(":")[2] or LOCAL


def kind_of(resource: str) -> str:
    """What a resource is: `project`, `job`, `secret` ... Raises InvalidSpec for no resource."""
    for kind, pattern in _RESOURCES.items():
        if pattern.fullmatch(resource):
            return kind
    raise _unfit(
        "resource", resource, "the name of a project, job, secret, bucket, topic or account"
    )


def ancestors(resource: str) -> tuple[str, ...]:
    """The resource itself and the project whose policy it takes over."""
    match = _RESOURCES[kind_of(resource)].fullmatch(resource)
    project = project_name(match[1]) if match else resource
    return (resource,) if project in (resource, "projects/_") else (resource, project)


def check_member(member: str) -> None:
    """Raises InvalidSpec for what is no member of a policy."""
    if member not in _EVERYBODY and not _MEMBER.fullmatch(member):
        expected = "user:EMAIL, serviceAccount:EMAIL, group:EMAIL, domain:NAME or allUsers"
        raise _unfit("member", member, expected)


def check_role(role: str) -> None:
    """Raises InvalidSpec for what is no role's name."""
    if not _ROLE.fullmatch(role):
        raise _unfit("role", role, "a role such as roles/secretmanager.secretAccessor")


def check_account_id(account_id: str) -> None:
    """Raises InvalidSpec for what Google would not call a service account."""
    if not _ACCOUNT_ID.fullmatch(account_id):
        expected = "6 to 30 lower-case letters, digits and hyphens, a letter first"
        raise _unfit("serviceAccount", account_id, expected)


def everybody(member: str) -> bool:
    """True for a member that is everybody."""
    return member in _EVERYBODY


def account_domain(project: str) -> str:
    """What the emails of a project's service accounts end in. Google's projects `domain:name` have
    `name.domain`, and so have ours."""
    first, _, second = project.partition(":")
    return f"{f'{second}.{first}' if second else first}.iam.{_DOMAIN}"


def email_of(project: str, account: str) -> str:
    """The email of what a template calls its service account; empty is the project's default."""
    if not account:
        return default_email(project)
    return account if "@" in account else f"{account}@{account_domain(project)}"


def default_email(project: str) -> str:
    """The Compute Engine default service account: what a task is when its job names none."""
    return f"{project_number(project)}-compute@developer.{_DOMAIN}"


def project_number(project: str) -> int:
    """A project's number, of twelve digits; always the same for the same project."""
    drawn = int.from_bytes(blake2b(project.encode(), digest_size=8).digest())
    return 10**11 + drawn % (9 * 10**11)


def is_googles(email: str) -> bool:
    """True for an account that nobody makes: a project's default one, or a service's own."""
    return not email.endswith(f".iam.{_DOMAIN}")


def account_member(email: str) -> str:
    """A service account as a member of policies."""
    return f"serviceAccount:{email}"


def _unfit(path: str, value: str, expected: str) -> InvalidSpec:
    fault = Fault(path, repr(value)[:80], expected)
    return InvalidSpec(str(fault), faults=(fault,))
