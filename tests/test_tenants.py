"""Many tenants beside each other, over real HTTPS: none has a part in another's trouble."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, get_ident

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.check import check
from pipelines.cli import cli
from pipelines.clock import SimulatedClock
from pipelines.committing import PartitionExport
from pipelines.engine import Engine
from pipelines.errors import HuntlakeError, SettingsError, TenantNotFound
from pipelines.lake import connect
from pipelines.quota import Ledger
from pipelines.slicing import partition
from pipelines.standin import Fault, RunningTimeModel, Standin, StandinLimits
from pipelines.tenants import Tenants, load_tenants
from tests.conftest import EVENTS, NETWORK
from tests.days import BUSIEST, QUIET, landed, truth

NAMES = ("contoso", "fabrikam")
EARLIER = partition("daily", "2026-11-18")


class Deployment:
    """Two tenants, each served by a stand-in of its own, in one lake."""

    def __init__(self, folder: Path, standins: dict[str, Standin], clock: SimulatedClock) -> None:
        self.folder = folder
        self.standins = standins
        self.clock = clock
        self.surface = "graph"
        self.environ = {f"{name.upper()}_SECRET": self.secret(name) for name in NAMES}
        self.environ["HUNTLAKE_DATA"] = str(folder / "data")
        self.environ["HUNTLAKE_CA_BUNDLE"] = str(standins["contoso"].ca_bundle)

    def secret(self, name: str) -> str:
        return self.standins[name].sign_in.client_secret

    def tenants(self) -> Tenants:
        entries = "".join(self._entry(name) for name in NAMES)
        text = (
            f"defaults:\n  limits: seed,rows=2000\n  surface: {self.surface}\ntenants:\n{entries}"
        )
        # In one step, since each tenant's thread asks for them.
        beside = self.folder / f"{get_ident()}.yaml"
        beside.write_text(text)
        beside.replace(self.folder / "tenants.yaml")
        return load_tenants(self.environ, root=self.folder)

    def _entry(self, name: str) -> str:
        standin = self.standins[name]
        return (
            f"  - name: {name}\n    id: {name}.com\n    api_url: {standin.url}\n"
            f"    authority_host: {standin.url}\n    sign_in:\n      kind: secret\n"
            f"      client_id: {standin.sign_in.client_id}\n"
            f"      client_secret_env: {name.upper()}_SECRET\n"
        )

    def export(self, name: str, *days: object) -> list[PartitionExport]:
        with Engine(self.tenants().tenant(name).settings(), self.clock) as engine:
            return list(engine.export(NETWORK, days or [BUSIEST, QUIET]))

    def export_all(self) -> dict[str, list[PartitionExport] | HuntlakeError]:
        """Both at one time, each in a thread."""
        together = Barrier(len(NAMES))

        def run(name: str) -> list[PartitionExport] | HuntlakeError:
            together.wait()
            try:
                return self.export(name)
            except HuntlakeError as error:
                return error

        with ThreadPoolExecutor(len(NAMES)) as threads:
            return dict(zip(NAMES, threads.map(run, NAMES), strict=True))


@pytest.fixture
def deployment(standin_folder: Path, tmp_path: Path, clock: SimulatedClock) -> Iterator[Deployment]:
    with ExitStack() as stack:
        standins = {
            name: stack.enter_context(
                Standin(
                    standin_folder,
                    data=EVENTS,
                    limits=StandinLimits(rows=2_000),
                    running_time=RunningTimeModel(passes=True),
                    clock=clock,
                    tenant_id=f"{name}.com",
                )
            )
            for name in NAMES
        }
        yield Deployment(tmp_path, standins, clock)


def _wrong_secret(deployment: Deployment) -> None:
    deployment.environ["FABRIKAM_SECRET"] = "wrong"


def _no_secret(deployment: Deployment) -> None:
    del deployment.environ["FABRIKAM_SECRET"]


def _server_errors(deployment: Deployment) -> None:
    deployment.standins["fabrikam"].faults.when("", Fault.SERVER_ERROR)


def _no_permission(deployment: Deployment) -> None:
    deployment.standins["fabrikam"].revoke_permission()


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (_wrong_secret, "sign-in to tenant fabrikam (fabrikam.com)"),
        (_wrong_secret, "`client_secret_env: FABRIKAM_SECRET` ("),
        (_no_secret, "FABRIKAM_SECRET is not set"),
        (_server_errors, "network, partition 2026-11-17"),
        (_no_permission, "network, partition 2026-11-17"),
    ],
)
def test_a_tenant_in_trouble_leaves_the_other_whole(
    trouble: Callable[[Deployment], None], error: str, deployment: Deployment
) -> None:
    """It fails with an error of its own, and the other lands every row in its own folder."""
    trouble(deployment)
    outcomes = deployment.export_all()
    failed, whole = outcomes["fabrikam"], outcomes["contoso"]
    assert isinstance(failed, HuntlakeError)
    assert error in str(failed)
    assert isinstance(whole, list)
    for each in whole:
        assert landed(each.path) == truth(deployment.standins["contoso"], each.partition)
        assert "/tenant=contoso/" in str(each.path)
    lake = deployment.folder / "data/lake/network"
    assert [each.name for each in lake.glob("tenant=*")] == ["tenant=contoso"]


def test_a_storm_of_429_is_waited_out_by_its_tenant_alone(deployment: Deployment) -> None:
    """The ledger is by the tenant's id: the other's quota is neither spent nor blocked."""
    deployment.standins["fabrikam"].faults.next(*[Fault.CPU] * 3)
    before_ns = deployment.clock.now_ns()
    outcomes = deployment.export_all()
    for name in NAMES:
        outcome = outcomes[name]
        assert isinstance(outcome, list)
        assert [each.receipt.rows for each in outcome] == [6_000, 1_500]
    ledger = Ledger.at(deployment.folder / "data/state/ledger.sqlite")
    throttled = {
        name: sum(
            call.outcome == "throttled"
            for call in ledger.calls(f"{name}.com", since_ns=before_ns - 1)
        )
        for name in NAMES
    }
    assert throttled["contoso"] == 0
    assert throttled["fabrikam"] > 0


def test_a_tenant_s_types_are_no_concern_of_the_other(deployment: Deployment) -> None:
    """One tenant's odd answer clashes with that tenant's partitions alone."""
    deployment.standins["fabrikam"].faults.next(Fault.CHANGED_TYPE)
    deployment.export("fabrikam", QUIET)
    [whole] = deployment.export("contoso", QUIET)
    assert landed(whole.path) == truth(deployment.standins["contoso"], QUIET)


def test_graph_goes_on_where_xdr_was(deployment: Deployment) -> None:
    """Same columns and types, nothing pulled again, every row once, and a view over all days."""
    standin = deployment.standins["contoso"]
    deployment.surface = "xdr"
    before = deployment.export("contoso", BUSIEST, EARLIER)
    asked = len(standin.calls)
    deployment.surface = "graph"
    after = deployment.export("contoso", BUSIEST, EARLIER, QUIET)
    assert [each.reused for each in after] == [True, True, False]
    assert {call.surface for call in standin.calls[asked:]} == {"graph"}
    assert [each.receipt.surface for each in after] == ["xdr", "xdr", "graph"]
    assert pq.read_schema(after[-1].path) == pq.read_schema(before[0].path)
    for each in after:
        assert landed(each.path) == truth(standin, each.partition)
    with connect(Engine(deployment.tenants().tenant("contoso").settings()).layout) as lake:
        [(rows,)] = lake.sql("SELECT count(*) FROM network WHERE tenant = 'contoso'").fetchall()
    assert rows == 6_000 + 1_500 + 1_500


def test_check_goes_through_all_tenants_or_the_one_named(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saying for each what is missing; what is wrong with one ends nothing for the next."""
    _no_secret(deployment)
    deployment.surface = "xdr"
    deployment.tenants()
    for name, value in deployment.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HUNTLAKE_TENANTS", str(deployment.folder / "tenants.yaml"))
    found = [
        (each.tenant, each.subject, each.passed, each.warns) for each in check(deployment.clock)
    ]
    assert ("fabrikam", "settings", False, False) in found
    assert ("contoso", "surface", True, True) in found
    assert ("contoso", "service", True, False) in found
    only = {each.tenant for each in check(deployment.clock, "contoso")}
    assert only == {None, "contoso"}


@pytest.mark.parametrize("command", [["export", "--hunt", "alert_info"], ["plan", "alert_info"]])
def test_a_command_asks_which_tenant(
    command: list[str], deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the names that there are; and reads the secrets of the one that is named."""
    deployment.tenants()
    monkeypatch.setenv("HUNTLAKE_TENANTS", str(deployment.folder / "tenants.yaml"))
    with pytest.raises(TenantNotFound, match="with --tenant: contoso, fabrikam"):
        CliRunner().invoke(cli, command, catch_exceptions=False)
    with pytest.raises(SettingsError, match="CONTOSO_SECRET is not set"):
        CliRunner().invoke(cli, [*command, "--tenant", "contoso"], catch_exceptions=False)
