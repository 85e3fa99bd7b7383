"""The provider port over the cloud on this machine, in process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.resources import Execution, Withdrawal
from runyard.model.ids import AttemptKey
from runyard.provider.local import translate
from runyard.provider.local.access import LocalAccess
from runyard.provider.local.answering import NAME, answering
from runyard.provider.local.deployer import LocalDeployer
from runyard.provider.port import LaunchOrder, Released, Report
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer

UNRELEASED_MAX = 10_000  #: keys looked at again after a start; more are found by `look`


class LocalProvider:
    """`provider.port.Provider` over `cloud`."""

    name = NAME

    def __init__(self, cloud: CloudRun, wake: Callable[[], None]) -> None:
        self.cloud = cloud
        self.jobs: Deployer = LocalDeployer(cloud.jobs)
        self.access: Access = LocalAccess(cloud.neighbours)
        self._wake = wake
        self._dirty: dict[str, None] = {}
        cloud.subscribe(self._notice)

    def _notice(self, execution: Execution) -> None:
        if execution.request_key:
            self._dirty[execution.request_key] = None
            self._wake()

    async def start(self) -> None:
        """See `Provider.start`."""
        async with answering("start"):
            await self.cloud.start()
            keys = await self.cloud.unreleased_keys(UNRELEASED_MAX)
        self._dirty |= dict.fromkeys(keys)
        if self._dirty:
            self._wake()

    async def close(self) -> None:
        """See `Provider.close`."""
        await self.cloud.close()

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        async with answering("launch", order.key):
            found = await self.cloud.run_job(translate.request(order))
            return await self._report(order.key, found)

    async def stop(self, key: AttemptKey) -> None:
        """See `Provider.stop`."""
        async with answering("stop", key):
            await self.cloud.withdraw(key)

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """See `Provider.look`."""
        async with answering("look"):
            found = await self.cloud.asked(keys)
            return [await self._report(key, each) for key, each in zip(keys, found, strict=True)]

    async def _report(self, key: AttemptKey, found: Execution | Withdrawal | None) -> Report:
        if not (isinstance(found, Execution) and found.is_final):
            return translate.report(key, found)
        return translate.report(key, found, await self.cloud.last_lines(found))

    async def changed(self) -> list[Report]:
        """See `Provider.changed`."""
        keys = [AttemptKey(key) for key in self._dirty]
        self._dirty.clear()
        try:
            return await self.look(keys) if keys else []
        except BaseException:
            self._dirty |= dict.fromkeys(keys)
            raise

    async def release(self, key: AttemptKey) -> Released:
        """See `Provider.release`. Tasks' things go as each task ends; here they are summed up."""
        async with answering("release", key):
            found = (await self.cloud.asked([key]))[0]
            if not isinstance(found, Execution):
                return Released()
            tally = (await self.cloud.release(found.name)).tally
        return Released(removed=tally.removed, left=tally.left)

    async def forget(self, key: AttemptKey) -> None:
        """See `Provider.forget`."""
        async with answering("forget", key):
            found = (await self.cloud.asked([key]))[0]
            if isinstance(found, Execution):
                await self.cloud.delete_execution(found.name)
            else:
                await self.cloud.forget_request(key)

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`."""
        async with answering("log_bytes"):
            return await self.cloud.log_bytes()
