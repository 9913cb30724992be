"""Named texts of the environment and of the project's ``.env``, and all that is wrong with them.

What belongs here: where a setting's text is from, and saying everything at once. What does not:
which settings there are (``settings``, ``tenants``). The environment wins over ``.env``, as it does
for Dagster.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from dotenv import dotenv_values

from pipelines.errors import SettingsError

PROJECT: Final = Path(__file__).resolve().parent.parent

_T = TypeVar("_T")


class Environment:
    """Reads settings one by one and keeps what is wrong with them for the end.

    ``environ`` is the process's own where it is ``None``; ``whose`` begins what is then raised.
    """

    def __init__(
        self, environ: Mapping[str, str] | None, root: Path = PROJECT, *, whose: str = ""
    ) -> None:
        self._root = root
        self._whose = whose
        self._values = _read(environ, root)
        self._problems: list[str] = []

    def optional(self, name: str, parse: Callable[[str], _T]) -> _T | None:
        """A setting that may be missing."""
        text = self._values.get(name, "").strip()
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.problem(f"{name}: {error}")
            return None

    def required(self, name: str, what: str, parse: Callable[[str], str] = str) -> str | None:
        """A setting that may not; ``what`` it is, for the message."""
        if not self._values.get(name, "").strip():
            self.problem(f"{name} is not set: {what}")
            return None
        return self.optional(name, parse)

    def path(self, text: str) -> Path:
        """Relative to the project, not to wherever a command or a daemon was started."""
        return (self._root / Path(text).expanduser()).absolute()

    def file(self, text: str) -> Path:
        """The path of a file that is there; ``ValueError`` where it is not."""
        path = self.path(text)
        if not path.is_file():
            raise ValueError(f"there is no file {path}")
        return path

    def problem(self, text: str) -> None:
        """Keep what is wrong."""
        self._problems.append(text)

    def raise_problems(self) -> None:
        """Raise one ``SettingsError`` of all that was wrong, if anything was."""
        if self._problems:
            lines = "\n".join(f"  - {problem}" for problem in self._problems)
            raise SettingsError(
                f"{self._whose}settings are missing or wrong; set them in the environment or in "
                f"{self._root / '.env'} (see .env.example):\n{lines}"
            )


def _read(environ: Mapping[str, str] | None, root: Path) -> Mapping[str, str]:
    try:
        found = dotenv_values(root / ".env")
    except UnicodeDecodeError as error:
        # Without its cause, which would quote the file.
        raise SettingsError(
            f"{root / '.env'} is not written in UTF-8 ({error.reason}): save it anew as UTF-8"
        ) from None
    from_file = {key: value for key, value in found.items() if value}
    return {**from_file, **(os.environ if environ is None else environ)}
