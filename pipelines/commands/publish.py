"""``huntlake publish``."""

import click

from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout
from pipelines.settings import load_paths


@click.command()
def publish() -> None:
    """Make the catalogue fit the lake, after partitions or the whole lake were moved or copied.

    Exports do it by themselves for what they commit. It reads the footer of each partition, so that
    it takes some seconds for thousands of them. What it says of a hunt it takes from the hunt's
    file, where there is one here.
    """
    from pipelines.hunt_card import cards_in_lake
    from pipelines.lake import publish as bring_up_to_date

    paths = load_paths()
    layout = LakeLayout(paths.data)
    hunts = load_hunts(paths.hunts).hunts if paths.hunts.is_dir() else {}
    changed = bring_up_to_date(layout, cards=cards_in_lake(hunts.values(), layout))
    state = "was brought up to date" if changed else "was up to date"
    click.echo(f"the catalogue {layout.catalogue} {state}")
