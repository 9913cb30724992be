"""``huntlake publish``."""

import click

from pipelines.lake import LakeLayout
from pipelines.settings import load_paths


@click.command()
def publish() -> None:
    """Make the catalogue fit the lake, after partitions or the whole lake were moved or copied.

    Exports do it by themselves for what they commit. It reads the footer of each partition, so that
    it takes some seconds for thousands of them.
    """
    from pipelines.lake import publish as bring_up_to_date

    layout = LakeLayout(load_paths().data)
    changed = bring_up_to_date(layout)
    state = "was brought up to date" if changed else "was up to date"
    click.echo(f"the catalogue {layout.catalogue} {state}")
