"""The resource through which assets reach the engine.

What belongs here: opening the engine for one run. What does not: settings, which come from the
environment and are read when a run starts, so that definitions load without any.
"""

import dagster as dg

from pipelines.clock import Clock, SystemClock
from pipelines.engine import Engine
from pipelines.quota import Limits
from pipelines.settings import load_limits, load_settings


class EngineResource(dg.ConfigurableResource[Engine]):
    """Opens the engine with the settings of the environment and ``.env``."""

    def open(self) -> Engine:
        """An engine to be used as a context manager. Raises ``SettingsError``."""
        return Engine(load_settings(), self.clock())

    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    def limits(self) -> Limits:
        """What the service allows, which takes no sign-in. Raises ``SettingsError``."""
        return load_limits()
