"""The macros that the SQL needs in the database that runs it.

What belongs here: all of them, in the order in which they have to be made.
"""

from typing import Final

from pipelines.translation import addresses, exactness, functions

# Each is what follows ``CREATE OR REPLACE MACRO``.
MACROS: Final = (*exactness.MACROS, *functions.MACROS, *addresses.MACROS)
