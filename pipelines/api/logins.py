"""Where a person's tokens are kept: a file for each tenant and application, its owner's alone.

What belongs here: the file, who may read it, and that it is there whole or not at all. What does
not: what msal keeps in it (``person``).

The file is not encrypted. A key would lie beside it: what could keep one apart from the file (a
desktop's keyring) isn't there on the servers where huntlake runs at night. So it is kept as ssh
keeps its keys: nobody else may read it, and a file that others may read is refused.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from pipelines.errors import SettingsError, SignInError, SignInUnavailable
from pipelines.identity import DeviceCode
from pipelines.settings import Settings

_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_VERSION: Final = 1
# Longer than a sign-in may take, during which the file is another process's.
_LOCK_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Login:
    """Who logged in, and what msal knows of their tokens, as it writes it."""

    username: str
    tokens: str = field(repr=False)


class LoginFile:
    """The login of one tenant's application."""

    def __init__(self, settings: Settings, identity: DeviceCode) -> None:
        whose = f"{settings.authority_host}\0{settings.tenant_id}\0{settings.client_id}"
        digest = hashlib.sha256(whose.encode()).hexdigest()[:16]
        self._folder = identity.logins
        self.path = identity.logins / f"{settings.tenant_id}-{digest}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from reading, renewing and writing at the same time.

        Raises ``SettingsError`` for a folder that can't be used, or that others may look into.
        """
        with _using(self._folder):
            # Its parents get whatever mode new folders have here; it is the one that counts.
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            _require_private(self._folder, "700")
            lock = FileLock(self.path.with_suffix(".lock"), mode=_FILE_MODE)
            try:
                lock.acquire(timeout=_LOCK_SECONDS)
            except Timeout as error:
                raise SignInUnavailable(
                    f"{self.path}: another process has been signing in for more than "
                    f"{_LOCK_SECONDS:.0f} s; it may hang"
                ) from error
        with lock:
            yield

    def read(self) -> Login | None:
        """The login, if there is one. Raises ``SignInError`` for a file that is damaged."""
        with _using(self.path):
            if not self.path.exists():
                return None
            _require_private(self._folder, "700")
            _require_private(self.path, "600")
            content = self.path.read_bytes()
        try:
            kept = json.loads(content)
            login = Login(kept["username"], kept["tokens"])
            whole = kept["version"] == _VERSION and kept["sha256"] == _digest(login)
        # AttributeError and TypeError: JSON, but of another shape.
        except (ValueError, LookupError, TypeError, AttributeError):
            whole = False
        if not whole:
            # Without its cause, which would quote the file.
            raise SignInError(
                f"{self.path} is damaged, or of another version: run `huntlake login` again"
            ) from None
        return login

    def write(self, login: Login) -> None:
        """Keep the login in place of the one before. Only while it is locked."""
        kept = {
            "version": _VERSION,
            "username": login.username,
            "sha256": _digest(login),
            "tokens": login.tokens,
        }
        beside = self.path.with_suffix(".partial")
        with _using(self.path):
            beside.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(beside, flags, _FILE_MODE), "w") as file:
                json.dump(kept, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)

    def forget(self) -> bool:
        """Remove the login; whether there was one. Only while it is locked."""
        with _using(self.path):
            there = self.path.exists()
            self.path.unlink(missing_ok=True)
            self.path.with_suffix(".partial").unlink(missing_ok=True)
        return there


def _digest(login: Login) -> str:
    """What tells a whole file from one that a crash or a disk has spoilt."""
    return hashlib.sha256(f"{login.username}\0{login.tokens}".encode()).hexdigest()


@contextmanager
def _using(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"HUNTLAKE_LOGINS: {path} can't be used: {error.strerror or error}; it must be a "
            f"folder of the user that huntlake runs as"
        ) from error


def _require_private(path: Path, mode: str) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
        raise SettingsError(
            f"HUNTLAKE_LOGINS: {path} is a link, or another user's: it must belong to the user "
            f"that huntlake runs as"
        )
    if found.st_mode & _OTHERS:
        raise SettingsError(
            f"HUNTLAKE_LOGINS: others may use {path}, which holds tokens: run `chmod {mode} "
            f"{path}`, then, since they may have been read, `huntlake login --forget` and "
            f"`huntlake login`"
        )
