"""The engine, assembled from settings: what the command line and Dagster both start from.

What belongs here: building parts and handing them to ``export``. What does not: their behaviour.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from pipelines.api import SURFACES, HuntingClient, tls_context, token_source
from pipelines.clock import Clock, SystemClock
from pipelines.clouds import contradictions
from pipelines.committing import PartitionExport
from pipelines.errors import SettingsError
from pipelines.export import Exporter
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.hunts import Hunt, SurfaceName
from pipelines.lake import LakeLayout
from pipelines.late import Recount, recount
from pipelines.planning import ExportPlan, plan_export
from pipelines.progress import Observer, unobserved
from pipelines.pull import Tenant
from pipelines.quota import Gate, Ledger
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
        """Export partitions of a hunt; see ``Exporter.export``. ``run`` is Dagster's, if any."""
        return Exporter(self._at(hunt, observer), run=run).export(partitions, refresh=refresh)

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
        """
        yield from recount([self._at(hunt, observer) for hunt in hunts], partitions, mend=mend)

    def _at(self, hunt: Hunt, observer: Observer) -> HuntInTenant:
        return HuntInTenant(hunt, self.tenant_for(hunt), self.layout, self.clock, observer)

    def tenant_for(self, hunt: Hunt) -> Tenant:
        """The tenant and surface that the hunt's own settings choose, or the environment's."""
        key = (
            hunt.export.tenant or self.settings.tenant_id,
            hunt.export.surface or self.settings.surface,
        )
        if key not in self._tenants:
            self._tenants[key] = self._connect(*key)
        return self._tenants[key]

    def quota_left(self, hunt: Hunt) -> str:
        """What the hunt's tenant has left of each quota, in words."""
        tenant = self.tenant_for(hunt)
        used = self._ledger.used(tenant.id, tenant.limits, now_ns=self.clock.now_ns())
        return ", ".join(each.left for each in used) or "as much as the service allows"

    def _connect(self, tenant_id: str, surface_name: SurfaceName) -> Tenant:
        settings = replace(self.settings, tenant_id=tenant_id, surface=surface_name)
        # A hunt may choose another surface than the one that the settings were checked with.
        problems = contradictions(surface_name, settings.api_url, settings.authority_host)
        if problem := next(problems, None):
            raise SettingsError(problem)
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
        return Tenant(tenant_id, surface, tokens, client, gate, settings.limits)
