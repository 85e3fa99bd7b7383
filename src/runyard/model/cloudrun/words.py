"""The texts of Cloud Run's API that have a form: names, references, paths."""

from __future__ import annotations

from typing import Annotated

from runyard.model.forms import Between, Shaped

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_PROJECT = "[a-z0-9][-a-z0-9:.]{0,62}"
_NAME_IN_KEEPER = "[a-zA-Z0-9_-]{1,255}"

#: Cloud Run's discovery document: fewer than 50 characters, begins with a letter, no hyphen last.
JobName = Annotated[
    str,
    Shaped(
        "[a-z]([a-z0-9-]{0,47}[a-z0-9])?",
        "a job name: at most 49 lower-case letters, digits and hyphens, a letter first, "
        "no hyphen last",
        49,
    ),
]
#: gcloud's own check of `--container`.
ContainerName = Annotated[
    str,
    Shaped(
        "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?",
        "a container name: at most 63 lower-case letters, digits, hyphens and dots",
        63,
    ),
]
#: A DNS label (RFC 1123), as Kubernetes wants volume names.
VolumeName = Annotated[
    str, Shaped(_LABEL, "a volume name: at most 63 lower-case letters, digits and hyphens", 63)
]
#: The grammar of https://pkg.go.dev/github.com/distribution/reference, name at most 255.
ImageReference = Annotated[
    str,
    Shaped(
        r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?/)?"
        r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
        r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
        r"(?:@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,128})?",
        "an image reference such as us-central1-docker.pkg.dev/shop/jobs/report:1.4.0",
        512,
    ),
]
#: POSIX's portable name, which every shell and language can read; `=` and NUL cannot be in one.
EnvName = Annotated[
    str,
    Shaped(
        "[A-Za-z_][A-Za-z0-9_.-]*",
        "the name of an environment variable: letters, digits and _, no digit first",
        32768,
    ),
]
#: Secret Manager: 1 to 255 letters, digits, hyphens and underscores.
SecretName = Annotated[
    str,
    Shaped(
        _NAME_IN_KEEPER, "a secret's name: 1 to 255 letters, digits, hyphens and underscores", 255
    ),
]
SecretReference = Annotated[
    str,
    Shaped(
        f"{_NAME_IN_KEEPER}|projects/{_PROJECT}/secrets/{_NAME_IN_KEEPER}",
        "a secret's name, or projects/PROJECT/secrets/NAME for one of another project",
        350,
    ),
]
#: Secret Manager, versionAliases: at most 63 characters, a letter first, and not NEW.
SecretVersion = Annotated[
    str,
    Shaped(
        "latest|[1-9][0-9]{0,17}|(?!NEW$)[A-Za-z][A-Za-z0-9_-]{0,62}",
        "latest, a version number, or a version alias",
        63,
    ),
]
#: IAM: a service account's own name has 6 to 30 characters; Google's own accounts have others.
ServiceAccount = Annotated[
    str,
    Shaped(
        r"[a-z][-a-z0-9]{4,28}[a-z0-9]|[a-z0-9][-a-z0-9.:]{0,62}@[a-z0-9.-]{1,200}"
        r"\.gserviceaccount\.com",
        "a service account: its short name (6 to 30 lower-case letters, digits, hyphens) "
        "or its email ending in .gserviceaccount.com",
        300,
    ),
]
#: Cloud KMS's resource name of a key.
EncryptionKey = Annotated[
    str,
    Shaped(
        f"projects/{_PROJECT}/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{{1,63}}"
        "/cryptoKeys/[A-Za-z0-9_-]{1,63}",
        "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
        400,
    ),
]
#: VpcAccess.connector.
ConnectorName = Annotated[
    str,
    Shaped(
        f"projects/{_PROJECT}/locations/[a-z0-9-]+/connectors/[a-z][-a-z0-9]{{0,62}}",
        "projects/PROJECT/locations/LOCATION/connectors/CONNECTOR",
        300,
    ),
]
#: VpcAccess.networkInterfaces: a short name, or the resource name in the network's own project.
NetworkName = Annotated[
    str,
    Shaped(
        f"{_LABEL}|(?:https://www.googleapis.com/compute/v1/)?projects/{_PROJECT}/global"
        f"/networks/{_LABEL}",
        "a network's name, or projects/PROJECT/global/networks/NAME",
        400,
    ),
]
SubnetworkName = Annotated[
    str,
    Shaped(
        f"{_LABEL}|(?:https://www.googleapis.com/compute/v1/)?projects/{_PROJECT}"
        f"/regions/[a-z0-9-]+/subnetworks/{_LABEL}",
        "a subnetwork's name, or projects/PROJECT/regions/REGION/subnetworks/NAME",
        400,
    ),
]
#: Compute Engine: a network tag is a DNS label that begins with a letter.
NetworkTag = Annotated[
    str,
    Shaped(
        "[a-z]([-a-z0-9]{0,61}[a-z0-9])?",
        "a network tag: at most 63 lower-case letters, digits and hyphens, a letter first",
        63,
    ),
]
#: Cloud Storage: 3 to 63 characters (with dots, each part at most 63, 222 in all).
BucketName = Annotated[
    str,
    Shaped(
        "[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]",
        "a bucket's name: 3 to 222 lower-case letters, digits, hyphens, underscores and dots",
        222,
    ),
]
#: VolumeMount.mountPath: absolute, no colon.
MountPath = Annotated[str, Shaped("/[^:]*", "an absolute path without a colon", 4096)]
#: A file inside a folder: relative, and it stays there.
RelativePath = Annotated[
    str,
    Shaped(
        r"(?!/)(?!(?:.*/)?\.\.(?:/|$)).+",
        "a relative path that does not leave its folder",
        4096,
    ),
]
#: CloudSqlInstance.instances.
SqlInstance = Annotated[
    str,
    Shaped(
        f"{_PROJECT}:[a-z0-9-]+:[a-z][-a-z0-9]{{0,97}}",
        "PROJECT:REGION:INSTANCE of a Cloud SQL instance",
        300,
    ),
]
#: ContainerPort.containerPort and the ports of probes: a TCP port.
Port = Annotated[int, Between(1, 65535)]
#: Mode bits of a file, octal 0 to 777. YAML 1.2 writes octal as 0o444.
Mode = Annotated[int, Between(0, 0o777, "(0o777)")]
