"""The engine of huntlake: everything that works without Dagster.

What belongs here: planning, quota, calls, landing, the lake, and the loop that joins them.
What does not: anything that imports dagster, or the catalogue of hunts, which is data.
"""

import os

# Arrow reads this when it is loaded, and never again: see landing/memory.py.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
