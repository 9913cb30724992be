"""The DuckDB catalogue: views over whatever the lake holds when they are queried.

What belongs here: making the catalogue file and opening it. What does not: the SQL in it
(``views``, ``ranges``, ``table_entries``), what it is of (``contents``), or the Parquet files.

A commit changes the catalogue only when it is the first of its hunt in its tenant, or brings a
column or a type that is new to it, or says something new of the hunt; and then only the views of
that hunt. A DuckDB file can't be
written while others read it, so it is written beside and renamed over: who has it open goes on
reading the older one.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
from filelock import FileLock

from pipelines.errors import HuntlakeError, LakeUnwritable
from pipelines.lake.cards import HuntCard, cards_of, keep_cards
from pipelines.lake.columns import LandedColumns
from pipelines.lake.contents import Contents, HuntInLake, Published, look, of_hunts
from pipelines.lake.entries import Entries, Name
from pipelines.lake.hunt_tables import hunts_entry
from pipelines.lake.index import index_all, index_partitions, make_readable
from pipelines.lake.layout import LakeLayout
from pipelines.lake.ranges import instant_function
from pipelines.lake.sql import ROOT_VARIABLE, quoted, text
from pipelines.lake.table_entries import table_entries
from pipelines.lake.views import hunt_entries, tenant_schemas


def publish(
    layout: LakeLayout,
    changed: LandedColumns | None = None,
    tenant: str | None = None,
    *,
    cards: Iterable[HuntCard] = (),
) -> bool:
    """Bring the catalogue up to date with the lake; returns whether its views had to change.

    ``changed`` is the hunt of which partitions were committed or removed, and ``tenant`` in which
    tenant (else in any); without it every footer of the lake is read. ``cards`` say what hunts are
    now, as far as the caller knows. Raises ``LakeUnwritable`` where the disk says no; the catalogue
    is then what it was.
    """
    is_other = _publish_views(layout, changed, tenant, cards)
    if changed is None:
        index_all(layout)
    else:
        tenants = {each for hunt, each in layout.landed() if hunt == changed.hunt}
        for each in sorted(tenants) if tenant is None else (tenant,):
            index_partitions(layout, changed.hunt, each)
    return is_other


def connect(layout: LakeLayout) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the catalogue, with times shown in UTC.

    The lake may have been moved or copied since it was published. Raises ``HuntlakeError`` where
    nothing was exported yet.
    """
    if not layout.catalogue.exists():
        raise HuntlakeError(
            f"there is no lake at {layout.root} yet; export a hunt first, or set HUNTLAKE_DATA"
        )
    connection = duckdb.connect(str(layout.catalogue), read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    root = text(str(layout.root.resolve()))
    connection.execute(f"SET VARIABLE {ROOT_VARIABLE} = {root}")
    return connection


def _publish_views(
    layout: LakeLayout,
    changed: LandedColumns | None,
    tenant: str | None,
    cards: Iterable[HuntCard],
) -> bool:
    try:
        layout.locks.mkdir(parents=True, exist_ok=True)
        with FileLock(layout.locks / "catalogue.lock"):
            before = Published.read(layout)
            known = before.contents if before else {}
            contents = look(layout, known, changed if before else None, tenant)
            keep_cards(layout, cards)
            cards_now = cards_of(layout, (hunt for hunt, _ in contents))
            make_readable(layout)
            if before and (before.contents, before.cards) == (contents, cards_now):
                return False
            _write(layout, before, contents, cards_now)
            Published.of(layout, contents, cards_now).keep(layout)
            return True
    except (OSError, duckdb.IOException, duckdb.FatalException) as error:
        raise LakeUnwritable(
            f"the catalogue {layout.catalogue} can't be written: {error}. It is what it was, and "
            f"so are the partitions; make room, or see who may write there, and run the export "
            f"again"
        ) from error


def _write(
    layout: LakeLayout,
    before: Published | None,
    contents: Contents,
    cards: Mapping[str, HuntCard],
) -> None:
    """Make the catalogue anew, or a copy of it in which the entries of some hunts are others."""
    schemas = tenant_schemas(tenant for _, tenant in contents)
    if before is None or not _may_be_changed(before.contents, schemas):
        entries = {
            **instant_function(),
            **table_entries(layout.root),
            **_entries(contents, contents.values(), cards, schemas, layout.root),
        }
        _replace(layout.catalogue, None, (), entries)
        return
    keys = {*before.contents, *contents}
    hunts = {key[0] for key in keys if before.contents.get(key) != contents.get(key)}
    hunts |= {hunt for hunt, _ in keys if before.cards.get(hunt) != cards.get(hunt)}
    old, new = (
        _entries(each, of_hunts(each, hunts), its_cards, schemas, layout.root)
        for each, its_cards in ((before.contents, before.cards), (contents, cards))
    )
    changed = {name: made for name, made in new.items() if old.get(name) != made}
    _replace(layout.catalogue, layout.catalogue, old.keys() - new.keys(), changed)


def _entries(
    contents: Contents,
    of: Iterable[HuntInLake],
    cards: Mapping[str, HuntCard],
    schemas: Mapping[str, str],
    root: Path,
) -> Entries:
    """Those of some of the hunts, and what lists all."""
    listed = hunts_entry((hunt for hunt, _ in contents), cards)
    return {**listed, **hunt_entries(of, cards, schemas, root)}


def _may_be_changed(before: Contents, schemas: Mapping[str, str]) -> bool:
    """Whether each tenant that was there before is there in the same schema."""
    former = tenant_schemas(tenant for _, tenant in before)
    return all(schemas.get(tenant) == schema for tenant, schema in former.items())


def _replace(catalogue: Path, copied: Path | None, gone: Iterable[Name], entries: Entries) -> None:
    beside = catalogue.with_suffix(".new")
    leftovers = [beside, Path(f"{beside}.wal")]
    _remove(leftovers)
    try:
        if copied is not None:
            shutil.copyfile(copied, beside)
        with duckdb.connect(str(beside)) as connection:
            connection.execute("BEGIN")
            for name in gone:
                connection.execute(name.drop)
            for schema in {name.schema for name in entries}:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            for statements in entries.values():
                # Several at once, since a column's comment each is most of them.
                connection.execute(";".join(statements))
            connection.execute("COMMIT")
            # Closing writes them into the file too, but says nothing where it can't.
            connection.execute("CHECKPOINT")
        beside.replace(catalogue)
    finally:
        _remove(leftovers)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
