"""What the roles of this cloud allow.

From https://cloud.google.com/iam/docs/roles-permissions: the permissions that Cloud Run jobs and
what they touch ask for, of the roles that are given for them. A role that is not here may be
bound, as Google has thousands; it allows nothing on this machine.
"""

from __future__ import annotations

ACCESSOR = "roles/secretmanager.secretAccessor"
ACCESS_SECRET = "secretmanager.versions.access"  # noqa: S105

_EXECUTE = ("run.jobs.run", "run.executions.cancel")
_LOOK = tuple(
    f"run.{kind}.{verb}"
    for kind in ("jobs", "executions", "tasks", "operations")
    for verb in ("get", "list")
)
_DEVELOP = (
    *_LOOK, *_EXECUTE, "run.jobs.create", "run.jobs.update", "run.jobs.delete",
    "run.jobs.runWithOverrides", "run.executions.delete", "run.operations.delete",
)  # fmt: skip
_ADD = ("secretmanager.versions.add",)
_SECRETS_LOOK = (
    "secretmanager.secrets.get", "secretmanager.secrets.list", "secretmanager.secrets.getIamPolicy",
    "secretmanager.versions.get", "secretmanager.versions.list",
)  # fmt: skip
_VERSIONS = (
    *_ADD, "secretmanager.versions.disable", "secretmanager.versions.enable",
    "secretmanager.versions.destroy", "secretmanager.versions.get", "secretmanager.versions.list",
)  # fmt: skip
_SECRETS = (
    *_SECRETS_LOOK, *_VERSIONS, ACCESS_SECRET, "secretmanager.secrets.create",
    "secretmanager.secrets.update", "secretmanager.secrets.delete",
    "secretmanager.secrets.setIamPolicy",
)  # fmt: skip
_OBJECTS_LOOK = ("storage.objects.get", "storage.objects.list")
_OBJECTS = (
    *_OBJECTS_LOOK, "storage.objects.create", "storage.objects.update", "storage.objects.delete",
)  # fmt: skip
_ACCOUNTS = (
    "iam.serviceAccounts.create", "iam.serviceAccounts.get", "iam.serviceAccounts.list",
    "iam.serviceAccounts.disable", "iam.serviceAccounts.enable", "iam.serviceAccounts.delete",
    "iam.serviceAccounts.undelete", "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.getIamPolicy",
)  # fmt: skip
_PUBLISH = ("pubsub.topics.publish",)
_SUBSCRIBE = ("pubsub.subscriptions.consume", "pubsub.topics.attachSubscription")
#: What Viewer and Editor may: neither reads a secret's value, at Google as here.
_VIEW = (*_LOOK, *_SECRETS_LOOK, "iam.serviceAccounts.get", "iam.serviceAccounts.list")
_EDIT = (
    *_VIEW, *_DEVELOP, *_VERSIONS, *_PUBLISH, *_SUBSCRIBE, "secretmanager.secrets.create",
    "secretmanager.secrets.update", "secretmanager.secrets.delete", "iam.serviceAccounts.actAs",
)  # fmt: skip
_OWN = (
    *_EDIT, *_SECRETS, *_ACCOUNTS, *_OBJECTS, "run.jobs.setIamPolicy",
    "resourcemanager.projects.setIamPolicy",
)  # fmt: skip
_ACT_AS = ("iam.serviceAccounts.actAs", "iam.serviceAccounts.get", "iam.serviceAccounts.list")
_TOKENS = (
    "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken",
    "iam.serviceAccounts.signBlob",
)  # fmt: skip

# fmt: off
ROLES: dict[str, frozenset[str]] = {role: frozenset(permissions) for role, permissions in {
    "roles/viewer": _VIEW,
    "roles/editor": _EDIT,
    "roles/owner": _OWN,
    "roles/run.invoker": ("run.jobs.run", "run.routes.invoke"),
    "roles/run.jobsExecutor": _EXECUTE,
    "roles/run.jobsExecutorWithOverrides": (*_EXECUTE, "run.jobs.runWithOverrides"),
    "roles/run.servicesInvoker": ("run.routes.invoke",),
    "roles/run.viewer": _LOOK,
    "roles/run.developer": _DEVELOP,
    "roles/run.admin": (*_DEVELOP, "run.jobs.getIamPolicy", "run.jobs.setIamPolicy"),
    ACCESSOR: (ACCESS_SECRET,),
    "roles/secretmanager.secretVersionAdder": _ADD,
    "roles/secretmanager.secretVersionManager": _VERSIONS,
    "roles/secretmanager.viewer": _SECRETS_LOOK,
    "roles/secretmanager.admin": _SECRETS,
    "roles/iam.serviceAccountUser": _ACT_AS,
    "roles/iam.serviceAccountTokenCreator": _TOKENS,
    "roles/iam.serviceAccountAdmin": _ACCOUNTS,
    "roles/storage.objectViewer": _OBJECTS_LOOK,
    "roles/storage.objectCreator": ("storage.objects.create",),
    "roles/storage.objectUser": _OBJECTS,
    "roles/storage.objectAdmin": (*_OBJECTS, "storage.objects.setIamPolicy"),
    "roles/pubsub.publisher": _PUBLISH,
    "roles/pubsub.subscriber": _SUBSCRIBE,
    "roles/logging.logWriter": ("logging.logEntries.create",),
    "roles/monitoring.metricWriter": ("monitoring.timeSeries.create",),
    "roles/artifactregistry.reader": ("artifactregistry.repositories.downloadArtifacts",),
    "roles/eventarc.eventReceiver": ("eventarc.events.receiveEvent",),
}.items()}
# fmt: on


def allows(role: str) -> frozenset[str]:
    """The permissions of `role`; none for a role that this cloud does not know."""
    return ROLES.get(role, frozenset())
