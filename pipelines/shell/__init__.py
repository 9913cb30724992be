"""The interactive shell over the lake, whatever language is asked in.

What belongs here: reading what a person types, and showing answers, errors and how long it took.
What does not: answering (``lake``), or the forms of answers (``answers``).
"""

from pipelines.shell.language import Language, Word
from pipelines.shell.loop import Shell
from pipelines.shell.prompting import Prompt
from pipelines.shell.sql import SqlLanguage

__all__ = ["Language", "Prompt", "Shell", "SqlLanguage", "Word"]
