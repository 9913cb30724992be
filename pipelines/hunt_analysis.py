"""What a hunt's query means for slicing, with what its file says of it.

What belongs here: handing a hunt's settings to the analysis, and which of them it can't heed. What
does not: the analysis (``kql``), or reading the settings (``hunt_formats``).
"""

from collections.abc import Iterator

from pipelines.hunts import ExportSettings, Hunt
from pipelines.kql import Analysis, Override, Verdict, analyse


def analyse_hunt(hunt: Hunt) -> Analysis:
    """What the hunt means for slicing. Raises ``KqlError`` as ``analyse`` does."""
    return analyse_query(hunt.query, hunt.export)


def analyse_query(query: str, settings: ExportSettings) -> Analysis:
    """What a query with these settings means for slicing."""
    return analyse(
        query,
        time_column=settings.time_column,
        reference_tables=settings.reference_tables,
        override=_override(settings),
    )


def idle_settings(settings: ExportSettings, analysis: Analysis) -> Iterator[tuple[str, str]]:
    """The settings that say nothing of this query, or too little, each with what to do."""
    read = {*analysis.snapshot_tables, *(table.name for table in analysis.event_tables)}
    for name in settings.reference_tables:
        if name not in read:
            yield "reference_tables", f"names `{name}`, which the query doesn't read; remove it"
    if settings.tenant and settings.tenants:
        yield "tenant", "stands beside `tenants:`; name it there, and remove it here"
    if settings.verdict and not (settings.verdict_reason or "").strip():
        yield "verdict", "needs a reason; say with `verdict_reason:` why it is right"
    if settings.verdict_reason and not settings.verdict:
        yield "verdict_reason", "is for a `verdict:`; add one, or remove it"
    if settings.verdict == "keyed" and not settings.key:
        yield "verdict", "needs the key by which to split, such as `key: [DeviceId]`"
    if settings.key and settings.verdict != "keyed":
        yield "key", "is for `verdict: keyed`; add that, or remove it"
    if settings.settling != ExportSettings().settling and analysis.verdict is Verdict.SNAPSHOT:
        yield "settling", f"is for hunts on events, but {analysis.reason}; remove it"
    if settings.verdict and analysis.verdict is Verdict.SNAPSHOT:
        yield "verdict", f"is for hunts on events, but {analysis.reason}; remove it"


def _override(settings: ExportSettings) -> Override | None:
    reason = settings.verdict_reason or ""
    match settings.verdict:
        case None:
            return None
        case "row-wise":
            return Override(Verdict.ROW_WISE, reason)
        case "keyed":
            return Override(Verdict.KEYED, reason, settings.key)
        case "whole":
            return Override(Verdict.WHOLE, reason)
