"""The network: the API's descriptions of VpcAccess and NetworkInterface."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.model.manifest.view import TASK, JobView, items, mapping, text, texts

VPC = (*TASK, "vpcAccess")


def check(job: JobView) -> None:
    """See the module."""
    access = mapping(job.task, "vpcAccess")
    if not isinstance(job.task.get("vpcAccess"), Mapping):
        return
    interfaces = list(items(access, "networkInterfaces", VPC))
    if "connector" in access and interfaces:
        job.fault((*VPC, "networkInterfaces"), "a connector or one network interface, not both")
    elif "connector" not in access and "networkInterfaces" not in access:
        job.fault(VPC, "a connector or one network interface")
    if len(interfaces) > 1:
        job.fault(interfaces[1][0], "one network interface; Cloud Run supports no more")
    for path, interface in interfaces:
        if not {"network", "subnetwork"} & interface.keys():
            job.fault(path, "network or subnetwork")
    _connector_region(job, text(access, "connector"))


def _connector_region(job: JobView, connector: str) -> None:
    parts = connector.split("/")
    regions = [region for _, region in texts(job.data, "regions")]
    if len(parts) == 6 and regions and any(region != parts[3] for region in regions):
        expected = f"a connector in every region of the job, and this one is in {parts[3]} only"
        job.warn((*VPC, "connector"), expected, "place the job in one region, or use two jobs")
