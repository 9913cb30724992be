"""The report's pictures, as SVG that takes the page's colours and fonts.

What belongs here: drawing. What does not: the values (``facts``), or the page around (``page``).
The library that draws takes a second to import: nobody imports this before there is a report.

Each picture is drawn twice, for wide screens and narrow ones, since one that is scaled down to a
phone has letters that nobody can read. Colours are variables of the page's style, so that a picture
is light or dark as the page is.
"""

import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator
from matplotlib.typing import RcKeyType

from pipelines.report.facts import DayOfHunt, Spent
from pipelines.report.units import in_bytes, in_time

# What is drawn in these colours is shown in the variables: nothing else may have one of them.
_SERIES: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
_OTHERS: Final = "#777778"
_INK, _FAINT, _LIMIT = "#222223", "#ddddde", "#d55e01"
_VARIABLES: Final[Mapping[str, str]] = {
    **{colour: f"var(--s{number})" for number, colour in enumerate(_SERIES)},
    _OTHERS: "var(--others)",
    _INK: "var(--ink)",
    _FAINT: "var(--faint)",
    _LIMIT: "var(--limit)",
}
_STYLE: Final[dict[RcKeyType, Any]] = {
    # Text stays text, which can be searched.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}
# A limit so many times what was used would leave bars too low to be seen.
_IN_SIGHT: Final = 8
_COLOUR: Final = re.compile("|".join(_VARIABLES))
_FONT: Final = re.compile(r"font: ([\d.]+)px[^;\"]*")
_HEAD: Final = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
# A size of its own, which would not fit the page; names of parts, which another picture has too;
# and who drew it.
_NEEDLESS: Final = re.compile(
    r' (?:height|width)="[\d.]+pt"| id="[\w.]+_\d+"|<metadata>.*?</metadata>', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class _Format:
    """How large a picture is, in inches of 72 pixels, and its letters."""

    name: str
    width: float
    height: float
    letters: float
    legend_columns: int


_FORMATS: Final = (_Format("wide", 10.4, 2.9, 9.0, 6), _Format("narrow", 5.0, 3.3, 10.0, 2))

Picture = Mapping[str, str]
"""A picture's SVG, by the name of its format."""


def of_days(amounts: Sequence[DayOfHunt], first: date, last: date, unit: str) -> Picture:
    """Amounts as a bar a day, in parts for the largest hunts. ``unit``: rows or bytes."""

    def draw(axes: Axes, shape: _Format) -> None:
        _bars(axes, shape, amounts, first, last)
        formatter = (
            FuncFormatter(lambda value, _: in_bytes(value))
            if unit == "bytes"
            else EngFormatter(sep="")
        )
        axes.yaxis.set_major_formatter(formatter)

    return _drawn(draw, unit)


def of_running_time(spent: Spent, first: date, last: date) -> Picture:
    """A tenant's running time a day, by hunt, against its limit."""

    def draw(axes: Axes, shape: _Format) -> None:
        _bars(axes, shape, spent.days, first, last)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: in_time(value)))
        if spent.limit_seconds is not None:
            _limit(axes, shape, spent.limit_seconds)

    return _drawn(draw, f"quota {spent.tenant}")


def of_late_rows(by_day: Mapping[int, int]) -> Picture:
    """Late rows, by how many days after their partition's end they were found."""

    def draw(axes: Axes, shape: _Format) -> None:
        del shape
        days = list(range(max(by_day) + 1))
        axes.bar(days, [by_day.get(day, 0) for day in days], color=_SERIES[0], width=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("days after the partition's end")

    return _drawn(draw, "late")


def _limit(axes: Axes, shape: _Format, limit: float) -> None:
    """A line where it is in sight; far above what was used, words alone."""
    highest = axes.get_ylim()[1]
    told, at = f"limit: {in_time(limit)} a day", limit
    if highest * _IN_SIGHT < limit:
        told, at = f"{told}, far above", highest
        axes.set_ylim(0, highest * 1.12)
    else:
        axes.axhline(limit, color=_LIMIT, linewidth=1.4, linestyle=(0, (6, 3)))
        axes.set_ylim(0, max(highest, limit * 1.12))
    axes.annotate(
        told,
        (0, at),
        xycoords=("axes fraction", "data"),
        xytext=(2, 3),
        textcoords="offset points",
        color=_INK,
        fontsize=shape.letters,
    )


def _bars(
    axes: Axes, shape: _Format, amounts: Sequence[DayOfHunt], first: date, last: date
) -> None:
    totals: Counter[str] = Counter()
    for each in amounts:
        totals[each.hunt] += each.amount  # type: ignore[assignment]
    named = [hunt for hunt, _ in totals.most_common(len(_SERIES))]
    by_hunt: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for each in amounts:
        by_hunt[each.hunt if each.hunt in named else ""][each.day] += each.amount
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    below = [0.0] * len(days)
    places = [datetime(day.year, day.month, day.day) for day in days]  # noqa: DTZ001 - matplotlib's
    parts = [*zip(named, _SERIES, strict=False), *([("", _OTHERS)] if "" in by_hunt else [])]
    for hunt, colour in parts:
        heights = [by_hunt[hunt].get(day, 0.0) for day in days]
        axes.bar(places, heights, bottom=below, width=0.86, color=colour, label=hunt or "others")  # type: ignore[arg-type]
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.yaxis.set_major_locator(MaxNLocator(5))
    locator = AutoDateLocator(maxticks=shape.legend_columns + 3)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    axes.margins(x=0.01)
    if parts:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.02),
            ncols=shape.legend_columns,
            fontsize=shape.letters,
            handlelength=0.9,
            handleheight=0.9,
            borderaxespad=0,
            columnspacing=1.2,
        )


def _drawn(draw: Callable[[Axes, _Format], None], name: str) -> Picture:
    return {shape.name: _svg(draw, shape, name) for shape in _FORMATS}


def _svg(draw: Callable[[Axes, _Format], None], shape: _Format, name: str) -> str:
    # The salt keeps apart what pictures of one page call their parts, and the same page the same.
    style = {**_STYLE, "font.size": shape.letters, "svg.hashsalt": f"{name} {shape.name}"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(shape.width, shape.height), layout="constrained")
        draw(figure.add_subplot(), shape)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = _HEAD.sub("", out.getvalue(), count=1)
    text = _NEEDLESS.sub("", text)
    text = _FONT.sub(r"font-size: \1px", text)
    text = _COLOUR.sub(lambda match: _VARIABLES[match[0]], text)
    label = f'class="{shape.name}" aria-hidden="true" focusable="false"'
    return text.replace("<svg", f"<svg {label}", 1)
