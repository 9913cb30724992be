"""The oracle: what the language's own parser and binder say about a query.

What belongs here: asking ``@kusto/language-service-next`` under Node, and the tenant that it binds
against. What does not: what huntlake says, or comparing the two.

``make oracle`` installs it, once. Tests that ask it are skipped where it is not installed.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pipelines.kql.tables import FORMER_NAMES, known_tables

_FOLDER: Final = Path(__file__).parent
_LIBRARY: Final = _FOLDER / "node_modules" / "@kusto" / "language-service-next"

# What `invoke` finds in every tenant: it adds columns to the rows that it is given.
_FUNCTIONS: Final = {
    "FileProfile": {
        "parameters": "(T: (*), Hash: string = '', Limit: long = 1000)",
        "body": """{ T | extend SHA1 = '', SHA256 = '', MD5 = '', FileSize = long(null),
            GlobalPrevalence = long(null), GlobalFirstSeen = datetime(null),
            GlobalLastSeen = datetime(null), Signer = '', Issuer = '', SignerHash = '',
            IsCertificateValid = bool(null), IsRootSignerMicrosoft = bool(null),
            SignatureState = '', IsExecutable = bool(null), ThreatName = '', Publisher = '',
            SoftwareName = '', ProfileAvailability = '' }""",
    },
    "SeenBy": {"parameters": "(T: (*), DeviceId: string = '')", "body": "{ T }"},
    "DeviceFromIP": {
        "parameters": "(T: (*), IP: string = '', At: datetime = datetime(null))",
        "body": "{ T | extend IP, DeviceId = '' }",
    },
}


@dataclass(frozen=True, slots=True)
class Bound:
    """A query as the binder sees it.

    ``columns`` are the result's names and types, or None where it has no columns that are known.
    ``reads`` are the tenant's tables that names stand for, and where in the query.
    """

    errors: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] | None
    reads: tuple[tuple[str, int], ...]

    @property
    def tables(self) -> frozenset[str]:
        """The tenant's tables that the query reads."""
        return frozenset(name for name, _ in self.reads)


class Oracle:
    """A child process that binds one query after another, in milliseconds each."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]], *, opened: Iterable[str]) -> None:
        """``opened`` are tables that have other columns too, whatever a query asks for."""
        node = shutil.which("node")
        if node is None:
            raise FileNotFoundError("the oracle needs Node.js")
        self._process = subprocess.Popen(
            [node, str(_FOLDER / "binder.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        opened = list(opened)
        listed: dict[str, dict[str, str]] = {name: {} for name in opened} | {
            name: dict(columns) for name, columns in tables.items()
        }
        self._ask({"tables": listed, "open": opened, "functions": _FUNCTIONS})

    def bind(self, query: str) -> Bound:
        """What the binder says about the query."""
        said = self._ask({"query": query})
        columns = said["columns"]
        return Bound(
            tuple(said["errors"]),
            None if columns is None else tuple((name, kind) for name, kind in columns),
            tuple((name, _index(query, offset)) for name, offset in said["reads"]),
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the oracle ended with status {self._process.wait()}")
        said: dict[str, Any] = json.loads(line)
        if "failed" in said:
            raise RuntimeError(f"the oracle failed: {said['failed']}")
        return said


def why_not() -> str | None:
    """Why the oracle can't be asked here, if it can't."""
    if shutil.which("node") is None:
        return "the oracle needs Node.js, which is not installed"
    if not _LIBRARY.exists():
        return "the oracle is not installed; `make oracle` does it"
    return None


def documented(*, sentinel: bool = False) -> Mapping[str, Mapping[str, str]]:
    """The documented tables, under their former names too.

    In a ``sentinel`` workspace each table of events has a TimeGenerated as well.
    """
    tables = {name: dict(table.columns) for name, table in known_tables().items()}
    if sentinel:
        for columns in tables.values():
            if "Timestamp" in columns:
                columns["TimeGenerated"] = "datetime"
    return tables | {former: tables[name] for former, name in FORMER_NAMES.items()}


def _index(text: str, offset: int) -> int:
    """The index in Python's text of an offset in UTF-16."""
    return len(text.encode("utf-16-le")[: 2 * offset].decode("utf-16-le", errors="replace"))
