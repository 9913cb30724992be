"""The engine, assembled from one tenant's settings: what command line and Dagster start from.

What belongs here: building parts and handing them to ``export``. What does not: their behaviour.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from pipelines.api import SURFACES, HuntingClient, tls_context, token_source
from pipelines.clock import Clock, SystemClock
from pipelines.committing import PartitionExport
from pipelines.errors import SurfaceRetired
from pipelines.export import Exporter
from pipelines.going_on import PartitionFailed, export_in_spite
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.hunts import Hunt, SurfaceName
from pipelines.lake import LakeLayout
from pipelines.late import Recount, recount
from pipelines.planning import ExportPlan, plan_export
from pipelines.progress import Observer, SurfaceRetires, unobserved
from pipelines.pull import Tenant
from pipelines.quota import Gate, Ledger
from pipelines.retirement import Retiring, retiring
from pipelines.settings import Settings
from pipelines.slicing import Partition
from pipelines.verify import Verification, verify


class Engine:
    """Exports hunts with one set of settings. A context manager: it holds connections open."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.layout = LakeLayout(settings.data)
        self._ledger = Ledger.at(self.layout.ledger)
        self._tenants: dict[tuple[str, SurfaceName], Tenant] = {}
        self._warned: set[Retiring] = set()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._ledger.kept_open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def export(
        self,
        hunt: Hunt,
        partitions: Sequence[Partition],
        *,
        refresh: bool = False,
        observer: Observer = unobserved,
        run: str | None = None,
    ) -> Iterator[PartitionExport]:
        """Export partitions of a hunt; see ``Exporter.export``. ``run`` is Dagster's, if any.

        Raises ``SurfaceRetired`` where the hunt would be asked through a surface that has ended.
        """
        exporter = self._exporter(hunt, partitions, observer, run)
        return exporter.export(partitions, refresh=refresh)

    def export_in_spite(  # noqa: PLR0913 - how to export, each by name
        self,
        hunt: Hunt,
        partitions: Sequence[Partition],
        *,
        refresh: bool = False,
        retries: int | None = None,
        observer: Observer = unobserved,
        run: str | None = None,
    ) -> Iterator[PartitionExport | PartitionFailed]:
        """Export partitions of a hunt in spite of those that fail; see ``export_in_spite``.

        Tried again after a pause as often as the hunt's file says, unless ``retries`` does. Raises
        ``SurfaceRetired`` as ``export`` does.
        """
        exporter = self._exporter(hunt, partitions, observer, run)
        retries = hunt.export.retries if retries is None else retries
        return export_in_spite(exporter, partitions, refresh=refresh, retries=retries)

    def plan(
        self,
        hunt: Hunt,
        partitions: Sequence[Partition],
        *,
        may_count: bool,
        observer: Observer = unobserved,
    ) -> ExportPlan:
        """What exporting the partitions would take; see ``plan_export``."""
        return plan_export(self._at(hunt, observer), partitions, may_count=may_count)

    def verify(
        self, hunt: Hunt, partitions: Sequence[Partition], *, observer: Observer = unobserved
    ) -> Iterator[Verification]:
        """Count committed partitions again; see ``verify``."""
        return verify(self._at(hunt, observer), partitions)

    def recount(
        self,
        hunts: Sequence[Hunt],
        partitions: Sequence[Partition] | None = None,
        *,
        mend: bool = True,
        observer: Observer = unobserved,
    ) -> Iterator[Recount]:
        """Count committed partitions again and pull again what grew; see ``late.recount``.

        Hunts of one tenant share calls. Without ``partitions``: all that are provisional and due.
        Raises ``SurfaceRetired`` of a hunt once the others are done.
        """
        asked: list[HuntInTenant] = []
        retired: SurfaceRetired | None = None
        for hunt in hunts:
            try:
                asked.append(self._at(hunt, observer))
            except SurfaceRetired as error:
                retired = retired or error
        yield from recount(asked, partitions, mend=mend)
        if retired is not None:
            raise retired

    def _at(self, hunt: Hunt, observer: Observer) -> HuntInTenant:
        return HuntInTenant(hunt, self.tenant_for(hunt), self.layout, self.clock, observer)

    def tenant_for(self, hunt: Hunt) -> Tenant:
        """The tenant and surface that the hunt's own settings choose, or the engine's.

        Raises ``SurfaceRetired`` and ``SettingsError``.
        """
        key = (
            hunt.export.tenant or self.settings.tenant_id,
            hunt.export.surface or self.settings.surface,
        )
        if ends := self.retiring(hunt):
            ends.refuse_if_over(hunt.name, self.settings.tenant, self.clock.now_ns())
        if key not in self._tenants:
            self._tenants[key] = self._connect(*key)
        return self._tenants[key]

    def retiring(self, hunt: Hunt) -> Retiring | None:
        """What there is to say of the surface that the hunt is asked through, if it ends."""
        return retiring(hunt, self.settings.surface, self.settings.names.surface)

    def quota_left(self, hunt: Hunt) -> str:
        """What the hunt's tenant has left of each quota, in words."""
        tenant = self.tenant_for(hunt)
        used = self._ledger.used(tenant.id, tenant.limits, now_ns=self.clock.now_ns())
        return ", ".join(each.left for each in used) or "as much as the service allows"

    def _connect(self, tenant_id: str, surface_name: SurfaceName) -> Tenant:
        settings = replace(self.settings.at(surface_name), tenant_id=tenant_id)
        surface = SURFACES[surface_name].called_by(settings.identity)
        tokens = token_source(settings, surface)
        self._open.callback(tokens.close)
        client = HuntingClient(
            surface,
            api_url=settings.api_url,
            tokens=tokens,
            tls=tls_context(settings),
            clock=self.clock,
            request_seconds=settings.limits.request_seconds,
        )
        gate = Gate(
            tenant=tenant_id,
            limits=settings.limits,
            ledger=self._ledger,
            locks=self.layout.locks,
            clock=self.clock,
        )
        self._open.enter_context(client)
        # A hunt's own tenant has no other name than its id.
        called = settings.tenant if tenant_id == self.settings.tenant_id else None
        return Tenant(tenant_id, surface, tokens, client, gate, settings.limits, called)

    def _exporter(
        self, hunt: Hunt, partitions: Sequence[Partition], observer: Observer, run: str | None
    ) -> Exporter:
        at = self._at(hunt, observer)
        self._warn(hunt, partitions, observer)
        return Exporter(at, run=run)

    def _warn(self, hunt: Hunt, partitions: Sequence[Partition], observer: Observer) -> None:
        """Say once that a surface ends, however many hunts are exported."""
        ends = self.retiring(hunt)
        if ends is not None and partitions and ends not in self._warned:
            self._warned.add(ends)
            observer(SurfaceRetires(hunt.name, partitions[0].key, ends.warning))
