"""``huntlake report``."""

from pathlib import Path

import click

from pipelines.settings import load_paths


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page is written.  [default: report.html in the data folder]",
)
@click.option(
    "--days",
    type=click.IntRange(1, 400),
    default=60,
    show_default=True,
    help="How many days it shows, today among them.",
)
@click.option("--tenant", metavar="NAME", help="Show one tenant.  [default: all]")
def report(output: Path | None, days: int, tenant: str | None) -> None:
    """Write a page that shows what is in the lake, what is missing, and what it took.

    One HTML file that needs no network: coverage by hunt and day, rows and bytes, the quota's use,
    late data, what hunts took, columns that changed. It makes no call and needs no sign-in, and
    exports may run meanwhile.

    \b
    Examples:
        huntlake report
        huntlake report --days 365 --output lake.html
    """
    from pipelines.lake import LakeLayout
    from pipelines.reporting import write_report

    layout = LakeLayout(load_paths().data)
    path = output or layout.root / "report.html"
    facts = write_report(layout, path, days=days, tenant=tenant)
    click.echo(f"{path} shows {len(facts.hunts)} hunts from {facts.first_day} on")
