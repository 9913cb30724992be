"""The keys of ``sign_in:``, none of which holds a secret.

What belongs here: checking them. What does not: what they name, which is read when a tenant's
settings are asked for (``settings_of``).
"""

import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Final

import yaml

from pipelines.identity import KINDS, Kind
from pipelines.tenants.entry import SECRETS, SIGN_IN_KEYS, SignInEntry
from pipelines.tenants.given import Given, given_of, refuse, refuse_unknown

_FORMS: Final = ("_env", "_file")
# Where a secret would stand if it might stand here.
_INLINE: Final[Mapping[str, str]] = {
    "secret": "client_secret",
    "client_secret": "client_secret",
    "password": "certificate_password",
    "certificate_password": "certificate_password",
}
_ALL_SIGN_IN_KEYS: Final = sorted({key for keys in SIGN_IN_KEYS.values() for key in keys})
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_sign_in(path: Path, line: int, own: Given | None, shared: Given | None) -> SignInEntry:
    """Of an entry's own keys, and of those shared that its kind has."""
    keys = {} if own is None else _sign_in_keys(path, own)
    others = {} if shared is None else _sign_in_keys(path, shared)
    # Another kind than that of `defaults:` has nothing to do with its certificate.
    if "kind" not in keys or "kind" not in others or keys["kind"][0] == others["kind"][0]:
        # A secret of its own, wherever it is, stands in the place of the shared one.
        replaced = {f"{part}{form}" for part in SECRETS if _has(keys, part) for form in _FORMS}
        keys = {**{key: each for key, each in others.items() if key not in replaced}, **keys}
    at = own or shared
    line = line if at is None else at.line
    if "kind" not in keys:
        refuse(path, line, f"`sign_in:` needs a `kind:` of {', '.join(KINDS)}")
    kind = _kind(path, *keys.pop("kind"))
    for key, (_, where) in keys.items():
        if key not in SIGN_IN_KEYS[kind]:
            allowed = ", ".join(SIGN_IN_KEYS[kind])
            refuse(path, where, f"`{key}:` is not of `kind: {kind}`, which has {allowed}")
    given = {key: text for key, (text, _) in keys.items()}
    _refuse_lacking(path, line, kind, given)
    return SignInEntry(kind, given, f"{path}:{line}")


def refuse_secrets(path: Path, given: Mapping[str, Given]) -> None:
    """Raise ``TenantsFileError`` at a key that would hold a secret."""
    for key, each in given.items():
        if key in _INLINE:
            refuse(
                path,
                each.line,
                f"`{key}:` would be a secret in this file, which is copied and committed: put it "
                f"into a variable of the environment and name that under `sign_in:` in "
                f"`{_INLINE[key]}_env:`, or into a file and name that in `{_INLINE[key]}_file:`; "
                f"if it was real, make a new one",
            )


def _sign_in_keys(path: Path, given: Given) -> dict[str, tuple[str, int]]:
    """Text and line of each key, none of which is a secret."""
    if not isinstance(given.value, dict) or not isinstance(given.node, yaml.MappingNode):
        refuse(path, given.line, "`sign_in:` must have keys, such as `kind: certificate`")
    keys = given_of(given.node, given.value)
    refuse_secrets(path, keys)
    refuse_unknown(path, keys, ("kind", *_ALL_SIGN_IN_KEYS), "`sign_in:`")
    found: dict[str, tuple[str, int]] = {}
    for key, each in keys.items():
        if not isinstance(each.value, str) or not each.value.strip():
            refuse(path, each.line, f"`{key}:` must be text; put it in quotes")
        if key.endswith("_env") and _VARIABLE.fullmatch(each.value) is None:
            # Without the value, which may be the secret itself.
            refuse(
                path,
                each.line,
                f"`{key}:` must be the name of a variable of the environment (letters, digits and "
                f"underscores), not what it holds",
            )
        found[key] = (each.value, each.line)
    return found


def _refuse_lacking(path: Path, line: int, kind: Kind, given: Mapping[str, str]) -> None:
    needed: list[tuple[str, ...]] = [] if kind == "managed-identity" else [("client_id",)]
    match kind:
        case "secret":
            needed.append(("client_secret_env", "client_secret_file"))
        case "certificate":
            needed.append(("certificate_path",))
        case "workload-identity":
            needed.append(("federated_token_file",))
    for keys in needed:
        if not any(key in given for key in keys):
            refuse(path, line, f"`sign_in:` of `kind: {kind}` needs `{':` or `'.join(keys)}:`")
    for part in SECRETS:
        if all(f"{part}{form}" in given for form in _FORMS):
            refuse(path, line, f"`{part}_env:` and `{part}_file:` both stand; remove one")


def _has(keys: Container[str], part: str) -> bool:
    return any(f"{part}{form}" in keys for form in _FORMS)


def _kind(path: Path, text: str, line: int) -> Kind:
    kind = next((kind for kind in KINDS if kind == text), None)
    if kind is None:
        refuse(path, line, f"`kind: {text}` is no kind of sign-in; there are {', '.join(KINDS)}")
    return kind
