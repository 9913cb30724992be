"""The option that says how an answer is printed.

What belongs here: what commands that ask the lake share of their options. What does not: the forms
themselves (``pipelines.answers``).
"""

from typing import Final

import click

from pipelines.answers import OUTPUTS, print_answer

output_option: Final = click.option(
    "--output",
    type=click.Choice(OUTPUTS),
    default="table",
    show_default=True,
    help="How the answer is printed.",
)

__all__ = ["output_option", "print_answer"]
