"""The picture of a day of quota: running time used against the limit, and every call.

What belongs here: drawing. What does not: the values (``quota_day``). The library that draws takes
a second to import, so nobody imports this module before there is something to draw.

The colours are those of Okabe and Ito, which colour-blind people can tell apart.
"""

import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType
from PIL import Image

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import LakeUnwritable
from pipelines.quota import LedgerCall, Step
from pipelines.quota_day import QuotaDay, UsedOverDay
from pipelines.quota_report import HOUR_NS
from pipelines.windows import NANOSECONDS_PER_TICK, format_instant

PictureFormat = Literal["svg", "png"]

_HUNT_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#6B4C2A")
_OTHERS: Final = "#777777"
_USED, _USED_FILL = "#0072B2", "#B3D5E8"
_BY_OTHERS: Final = "#BBBBBB"
_LIMIT: Final = "#D55E00"
_REFUSED: Final = "#F7D9C4"
_INK: Final = "#222222"
_FAINT: Final = "#DDDDDD"
_HUNT_CHARACTERS: Final = 24
_TICK_HOURS: Final = 3
_WIDTH_INCHES, _DPI = 10.0, 100
_PALETTE: Final = 64
# About a pixel and a half of a day's picture: more steps than these only make it larger.
_FINEST_NS: Final = 120 * NANOSECONDS_PER_SECOND
_STYLE: Final[dict[RcKeyType, Any]] = {
    # Text stays text, which is smaller, and can be searched and read aloud.
    "svg.fonttype": "none",
    # The same day gives the same file.
    "svg.hashsalt": "huntlake",
    "font.family": "sans-serif",
    # The first comes with the library, and is wider than what a browser may put in its place.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9.5,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
}
_WINDOWS: Final = {"min": "last minute", "h": "last hour", "day": "last 24 h"}


@dataclass(frozen=True, slots=True)
class _Marks:
    """How the calls with some outcomes are drawn; ``colour`` ``None``: in that of their hunt."""

    name: str
    outcomes: frozenset[str | None]
    marker: str
    size: float
    colour: str | None = None
    legend: str = ""

    def holds(self, outcome: str | None) -> bool:
        return outcome in self.outcomes


_MARKS: Final = (
    _Marks("answered", frozenset({"answered"}), "|", 11),
    # Also one that nobody settled: it still runs, or its process died.
    _Marks("failed", frozenset({"failed", None}), "o", 5, legend="o: without an answer"),
    _Marks("refused", frozenset({"throttled"}), "x", 6, _LIMIT, "x: refused (429)"),
)


def draw(day: QuotaDay, kind: PictureFormat) -> bytes:
    """The picture as a file's bytes: a thousand pixels wide."""
    with mpl.rc_context(_STYLE):
        out = io.BytesIO()
        # Without a date, which would make two pictures of one day differ.
        metadata = {"Date": None} if kind == "svg" else {}
        _figure(day).savefig(out, format=kind, dpi=_DPI, metadata=metadata)
    return out.getvalue() if kind == "svg" else _small(out)


def _small(png: io.BytesIO) -> bytes:
    """The same in a palette: a picture of so few colours loses nothing that an eye could see."""
    out = io.BytesIO()
    with Image.open(png) as image:
        # So that the few pixels of a rare colour, such as a single call's, keep it.
        few = image.convert("RGB").quantize(_PALETTE, Image.Quantize.MAXCOVERAGE)
        few.save(out, format="png", optimize=True)
    return out.getvalue()


def draw_to(path: Path, day: QuotaDay) -> None:
    """The picture in a file, of the kind that its ending names. Raises ``LakeUnwritable``."""
    picture = draw(day, "png" if path.suffix.lower() == ".png" else "svg")
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise LakeUnwritable(
            f"the picture {path} can't be written: {error.strerror}; name a file in a folder that "
            f"is there and that you may write to"
        ) from error


def _figure(day: QuotaDay) -> Figure:
    hunts = _hunts(day.calls)
    heights = [*(2.2 if number == 0 else 1.4 for number in range(len(day.used)))]
    heights.append(0.55 + 0.26 * max(1, len(hunts)))
    figure = Figure(
        figsize=(_WIDTH_INCHES, sum(heights) + 1.1), layout="constrained", facecolor="white"
    )
    *curves, calls = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for axes, used in zip(curves, day.used, strict=True):
        _draw_used(axes, used, day)
    _draw_calls(calls, hunts, day)
    _draw_time(calls, day)
    for axes in (*curves, calls):
        _draw_refusals(axes, day)
    title = f"Quota of tenant {day.tenant}: running time used, and the limit"
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left")
    return figure


def _draw_used(axes: Axes, used: UsedOverDay, day: QuotaDay) -> None:
    """The seconds in the sliding window, as a stepped area; those of others on top."""
    steps = _thinned(used.steps)
    edges = [*(_hours(step.at_ns, day) for step in steps), _hours(used.steps[-1].at_ns, day)]
    ours = [step.ours for step in steps]
    # The ledger keeps more for others than there is, to be sure.
    most = math.inf if used.limit is None else used.limit
    total = [max(step.ours, min(step.used, most)) for step in steps]
    if total != ours:
        axes.stairs(total, edges, baseline=ours, fill=True, color=_BY_OTHERS)
    axes.stairs(
        ours,
        edges,
        fill=True,
        facecolor=_USED_FILL,
        edgecolor=_USED,
        linewidth=0.8,
        gid=f"used-{used.unit}",
    )
    highest = max([*total, used.limit or 0.0])
    axes.set_ylim(0, highest * 1.18 or 1)
    axes.set_ylabel(f"s in the {_WINDOWS[used.unit]}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    if used.limit is None:
        text = "no limit of running time is stated; only the service's 429 tells"
        axes.annotate(text, (0, highest), **_ABOVE)
        return
    axes.axhline(used.limit, color=_LIMIT, linewidth=1.6, gid=f"limit-{used.unit}")
    axes.annotate(f"limit: {used.limit:,.0f} s", (0, used.limit), color=_LIMIT, **_ABOVE)
    if used.share is not None:
        axes.axhline(
            used.share, color=_LIMIT, linewidth=1.0, linestyle="dashed", gid=f"share-{used.unit}"
        )
        # Where the limit's label isn't, however near the two are.
        end = (_hours(day.period.until_ns, day), used.share)
        axes.annotate(f"huntlake's share: {used.share:,.0f} s", end, color=_LIMIT, **_BELOW)


# Readable where the area reaches it.
_LABEL: Final[dict[str, Any]] = {
    "textcoords": "offset points",
    "fontsize": 8.5,
    "bbox": {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
}
_ABOVE: Final[dict[str, Any]] = {**_LABEL, "xytext": (3, 3), "ha": "left", "va": "bottom"}
_BELOW: Final[dict[str, Any]] = {**_LABEL, "xytext": (-3, -4), "ha": "right", "va": "top"}


def _thinned(steps: Sequence[Step]) -> list[Step]:
    """The highest of the steps that lie too near each other to be seen apart, as one."""
    found: list[Step] = []
    for step in steps[:-1]:
        if not found or step.at_ns - found[-1].at_ns >= _FINEST_NS:
            found.append(step)
        elif step.used > found[-1].used:
            found[-1] = replace(step, at_ns=found[-1].at_ns)
    return found


def _hunts(calls: Sequence[LedgerCall]) -> list[str]:
    """The rows of the calls: the hunts that were called most, first; the rest is one row."""
    names = [name for name, _ in Counter(each.hunt for each in calls).most_common()]
    room = len(_HUNT_COLOURS)
    if len(names) > room:
        return [*names[:room], f"{len(names) - room} other hunts"]
    return names


def _draw_calls(axes: Axes, hunts: Sequence[str], day: QuotaDay) -> None:
    """One mark a call, in the row of its hunt: a stroke, or what went wrong with it."""
    rows = {hunt: row for row, hunt in enumerate(hunts)}
    last = len(hunts) - 1
    for row in range(len(hunts)):
        theirs = [each for each in day.calls if rows.get(each.hunt, last) == row]
        colour = _HUNT_COLOURS[row] if row < len(_HUNT_COLOURS) else _OTHERS
        for marks in _MARKS:
            hours = [_hours(each.started_ns, day) for each in theirs if marks.holds(each.outcome)]
            axes.plot(
                hours,
                [row] * len(hours),
                linestyle="none",
                marker=marks.marker,
                markersize=marks.size,
                markeredgewidth=1.3,
                markerfacecolor="white",
                markeredgecolor=marks.colour or colour,
                gid=f"calls-{row}-{marks.name}",
                clip_on=False,
            )
    axes.set_yticks(range(len(hunts)), [_cut(hunt) for hunt in hunts])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(0, last) + 0.6, -0.6)
    axes.grid(axis="y", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(_calls_title(day), loc="left", fontsize=9.5, pad=4)


def _calls_title(day: QuotaDay) -> str:
    if not day.calls:
        return "nothing was called"
    title = f"{len(day.calls):,} call{'' if len(day.calls) == 1 else 's'}"
    legend = [
        marks.legend
        for marks in _MARKS
        if marks.legend and any(marks.holds(each.outcome) for each in day.calls)
    ]
    if any(step.by_others for used in day.used for step in used.steps):
        legend.append("grey: used by others")
    if day.refusals:
        legend.append("shaded: the service refused calls")
    return "     ".join([title, *legend])


def _draw_time(axes: Axes, day: QuotaDay) -> None:
    """Every third hour of the UTC day, and the date where one begins."""
    axes.set_xlim(0, _hours(day.period.until_ns, day))
    step_ns = _TICK_HOURS * HOUR_NS
    first_ns = -(-day.period.since_ns // step_ns) * step_ns
    ticks = range(first_ns, day.period.until_ns + 1, step_ns)
    axes.set_xticks([_hours(each, day) for each in ticks], [_clock(each) for each in ticks])
    since, until = (_instant(each) for each in (day.period.since_ns, day.period.until_ns))
    axes.set_xlabel(f"{since} to {until}, UTC")


def _draw_refusals(axes: Axes, day: QuotaDay) -> None:
    for number, each in enumerate(day.refusals):
        axes.axvspan(
            _hours(each.since_ns, day),
            _hours(each.until_ns, day),
            color=_REFUSED,
            linewidth=0,
            zorder=0,
            gid=f"refused-{number}",
        )


def _hours(at_ns: int, day: QuotaDay) -> float:
    """Hours since the day's beginning, to a thousandth, which is finer than a pixel."""
    return round((at_ns - day.period.since_ns) / HOUR_NS, 3)


def _clock(at_ns: int) -> str:
    instant = _instant(at_ns)
    time = instant[11:16]
    return f"{time}\n{instant[:10]}" if time == "00:00" else time


def _instant(at_ns: int) -> str:
    return format_instant(at_ns // NANOSECONDS_PER_TICK)[:16].replace("T", " ")


def _cut(text: str) -> str:
    if len(text) <= _HUNT_CHARACTERS:
        return text
    return f"{text[: _HUNT_CHARACTERS - 1]}…"
