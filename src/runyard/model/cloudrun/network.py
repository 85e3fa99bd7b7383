"""Where a task's traffic goes, what hardware it wants, who it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from runyard.model.cloudrun.words import ConnectorName, NetworkName, NetworkTag, SubnetworkName
from runyard.model.strict import Message


class VpcEgress(StrEnum):
    """Which outbound traffic goes through the VPC network."""

    VPC_EGRESS_UNSPECIFIED = "VPC_EGRESS_UNSPECIFIED"
    ALL_TRAFFIC = "ALL_TRAFFIC"
    PRIVATE_RANGES_ONLY = "PRIVATE_RANGES_ONLY"


class NetworkInterface(Message):
    """Direct VPC egress: at least one of `network` and `subnetwork`."""

    network: NetworkName | None = None
    subnetwork: SubnetworkName | None = None
    tags: tuple[NetworkTag, ...] = ()


class VpcAccess(Message):
    """A connector, or one network interface."""

    connector: ConnectorName | None = None
    egress: VpcEgress = VpcEgress.VPC_EGRESS_UNSPECIFIED
    network_interfaces: tuple[NetworkInterface, ...] = ()


class NodeSelector(Message):
    """The GPU to attach."""

    accelerator: Annotated[str, Field(min_length=1)]


class IdentityType(StrEnum):
    """Who the task is to others."""

    IDENTITY_TYPE_UNSPECIFIED = "IDENTITY_TYPE_UNSPECIFIED"
    IDENTITY_TYPE_SERVICE_ACCOUNT = "IDENTITY_TYPE_SERVICE_ACCOUNT"
    IDENTITY_TYPE_AGENT_IDENTITY = "IDENTITY_TYPE_AGENT_IDENTITY"


class WorkloadIdentityConfig(Message):
    """The task's SPIFFE identity."""

    identity: str = ""
    identity_certificate_enabled: bool = False
    identity_type: IdentityType = IdentityType.IDENTITY_TYPE_UNSPECIFIED
