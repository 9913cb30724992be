"""The file of a login: whose it is, and that it is there whole or not at all."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.api.logins import Login, LoginFile
from pipelines.errors import SettingsError, SignInError
from pipelines.identity import DeviceCode
from pipelines.settings import Settings, load_settings

KEPT = Login("me@contoso.example", '{"AccessToken": {"key": {"secret": "hidden-token"}}}')


def settings_in(folder: Path) -> Settings:
    environment = {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "an-application",
        "HUNTLAKE_SIGN_IN": "device-code",
    }
    return load_settings(environment, root=folder)


def file_in(folder: Path) -> LoginFile:
    return LoginFile(settings_in(folder), DeviceCode(folder / "state" / "logins"))


def written(folder: Path) -> LoginFile:
    file = file_in(folder)
    with file.locked():
        file.write(KEPT)
    return file


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_what_is_written_is_read_and_forgotten(tmp_path: Path) -> None:
    """And a file that isn't there is no login, without anything being made."""
    file = file_in(tmp_path)
    assert file.read() is None
    assert not (tmp_path / "state").exists()
    written(tmp_path)
    assert file.read() == KEPT
    with file.locked():
        assert file.forget()
        assert not file.forget()
    assert file.read() is None


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_may_look(tmp_path: Path, mask: int) -> None:
    """Whatever rights new files get here; the folder and all that is in it."""
    with umask(mask):
        folder = written(tmp_path).path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
@pytest.mark.parametrize("of", ["file", "folder"])
def test_what_others_may_use_is_refused(tmp_path: Path, bit: int, of: str) -> None:
    """The command that mends it is given; nothing of what is in it is read or shown."""
    file = written(tmp_path)
    path = file.path if of == "file" else file.path.parent
    path.chmod(stat.S_IMODE(path.stat().st_mode) | bit)
    with pytest.raises(SettingsError, match=f"chmod {600 if of == 'file' else 700} {path}"):
        file.read()


def test_a_link_is_refused(tmp_path: Path) -> None:
    """It would lead to where others may write."""
    file = written(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    file.path.rename(elsewhere)
    file.path.symlink_to(elsewhere)
    with pytest.raises(SettingsError, match="is a link"):
        file.read()


def test_a_folder_that_can_t_be_made_is_a_setting_to_mend(tmp_path: Path) -> None:
    """Before anybody is sent to a browser."""
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="HUNTLAKE_LOGINS"), file_in(tmp_path).locked():
        pass


@settings(max_examples=40)
@given(data=st.data())
def test_a_damaged_file_says_so(data: st.DataObject) -> None:
    """Cut off, overwritten or empty: never a trace, half a login, or a word of what was in it."""
    with TemporaryDirectory() as folder:
        file = written(Path(folder))
        content = bytearray(file.path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content = content[:at]
        else:
            content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
        file.path.write_bytes(content)
        with pytest.raises(SignInError, match="`huntlake login`") as caught:
            file.read()
        assert "hidden" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    "content", ["", "null", "[]", "{}", '{"username": 1, "tokens": 2}', "text"]
)
def test_another_kind_of_file_is_damaged_too(tmp_path: Path, content: str) -> None:
    """Whatever JSON it is."""
    file = written(tmp_path)
    file.path.write_text(content)
    with pytest.raises(SignInError, match="damaged"):
        file.read()


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    """A file half written is no login, and hinders none."""
    file = written(tmp_path)
    file.path.with_suffix(".partial").write_text("half")
    with file.locked():
        file.write(replace(KEPT, username="you@contoso.example"))
    login = file.read()
    assert login is not None
    assert login.username == "you@contoso.example"
    assert not file.path.with_suffix(".partial").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, tenant_id="fabrikam.com"),
        lambda s: replace(s, client_id="another"),
        lambda s: replace(s, authority_host="login.microsoftonline.us"),
    ],
)
def test_each_tenant_and_application_has_its_own(
    tmp_path: Path, change: Callable[[Settings], Settings]
) -> None:
    """Nobody's tokens are used for another tenant, application or cloud."""
    written(tmp_path)
    other = LoginFile(change(settings_in(tmp_path)), DeviceCode(tmp_path / "state" / "logins"))
    assert other.read() is None
