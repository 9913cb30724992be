"""Changes of a body's bytes: what a broken line, a broken server or a broken decoder might make.

What belongs here: changes that know nothing of JSON but its signs. What does not: changes of what a
body says (``tree_mutations``).
"""

import re
from collections.abc import Callable
from random import Random
from typing import Final

ByteMutation = Callable[[Random, bytes], bytes]

_SIGNS: Final = b'{}[],:"\\'
_SIGN: Final = re.compile(rb'[{}\[\],:"\\]')
_BETWEEN_ROWS: Final = re.compile(rb'\}\s*,\s*\{\s*"')
_NOT_UTF8: Final = (
    *(b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\x80", b"\xf4\x90\x80\x80"),
    *(b"\xe2\x82", b"\xfe\xff", b"\xf8\x88\x80\x80\x80", b"\xc3"),
)
_INSERTED: Final = (
    *(b"\0", b"\n", b"\r\n", b" ", b"\t", b"\x0b", b"\x1f", b"\x7f", b"\xef\xbb\xbf", b"\xc2\xa0"),
    *(b"NaN", b"//", b"/*", b"null", b"\\u0000", b"\\ud800", b"\\", b"'", b"\xe2\x80\xa8", b"0"),
)
# Between two rows in place of their comma, or with it.
_SEPARATORS: Final = (
    *(b'}\n{"', b'}{"', b'},\n{"', b'} ,{"', b'}, {"', b'},,{"', b'};{"', b'}:{"', b'}\0{"'),
    *(b'}],[{"', b'}]},{"', b'},[{"', b'},{{"', b'}},{"', b'},{},{"', b'},null,{"', b'},{"":1,"'),
    *(b'}],"Results":[{"', b'}],"more":[{"', b'},{"x":[{"', b'}]},{"results":[{"', b'"},{"'),
    *(b'},/**/{"', b'},\xc2\xa0{"', b'},\x0b{"', b'},{\n"', b'}\r\n{"', b'},{"a":[1},{"'),
)
_AFTER: Final = (
    *(b"\n", b" \r\n\t", b"\0", b"}", b"]", b",", b"x", b"{}", b"null", b"\xef\xbb\xbf", b"//"),
    b"\0" * 64,
)


def mutate_bytes(chance: Random, body: bytes) -> bytes:
    """One change of the bytes."""
    return chance.choice(BYTE_MUTATIONS)(chance, body) if body else body


def _at(chance: Random, body: bytes) -> int:
    return chance.randrange(len(body))


def _sign(chance: Random, body: bytes) -> int:
    """The place of a sign of JSON, if there is one near some place."""
    start = _at(chance, body)
    found = _SIGN.search(body, start) or _SIGN.search(body)
    return found.start() if found else start


def _replaced(body: bytes, start: int, end: int, new: bytes) -> bytes:
    return body[:start] + new + body[end:]


def _flip(chance: Random, body: bytes) -> bytes:
    at = _at(chance, body)
    return _replaced(body, at, at + 1, bytes([body[at] ^ (1 << chance.randrange(8))]))


def _any_byte(chance: Random, body: bytes) -> bytes:
    at = _at(chance, body)
    return _replaced(body, at, at + chance.randrange(2), bytes([chance.randrange(256)]))


def _delete(chance: Random, body: bytes) -> bytes:
    at = _at(chance, body)
    return _replaced(body, at, at + chance.choice([1, 1, 2, 8, 64]), b"")


def _delete_sign(chance: Random, body: bytes) -> bytes:
    at = _sign(chance, body)
    return _replaced(body, at, at + 1, b"")


def _change_sign(chance: Random, body: bytes) -> bytes:
    at = _sign(chance, body)
    return _replaced(body, at, at + chance.randrange(2), bytes([chance.choice(_SIGNS)]))


def _swap_signs(chance: Random, body: bytes) -> bytes:
    one, other = sorted((_sign(chance, body), _sign(chance, body)))
    swapped = bytearray(body)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return bytes(swapped)


def _duplicate(chance: Random, body: bytes) -> bytes:
    at, size = _at(chance, body), chance.choice([1, 1, 3, 20, 200])
    return _replaced(body, at, at, body[at : at + size])


def _move(chance: Random, body: bytes) -> bytes:
    at, size = _at(chance, body), chance.choice([1, 5, 40])
    piece, rest = body[at : at + size], _replaced(body, at, at + size, b"")
    to = chance.randrange(len(rest) + 1)
    return _replaced(rest, to, to, piece)


def _truncate(chance: Random, body: bytes) -> bytes:
    return body[
        : chance.choice([_at(chance, body), len(body) - 1, len(body) - 2, _sign(chance, body)])
    ]


def _truncate_start(chance: Random, body: bytes) -> bytes:
    return body[chance.choice([1, 2, _at(chance, body)]) :]


def _truncate_at_row(chance: Random, body: bytes) -> bytes:
    """As if the rest had never come: after a whole row, closed or not."""
    ends = [found.start() + 1 for found in _BETWEEN_ROWS.finditer(body)]
    if not ends:
        return body
    return body[: chance.choice(ends)] + chance.choice([b"", b"]", b"]}", b",", b",]}", b"}"])


def _insert(chance: Random, body: bytes) -> bytes:
    at = chance.choice([_at(chance, body), _sign(chance, body), 0])
    return _replaced(body, at, at, chance.choice(_INSERTED))


def _not_utf8(chance: Random, body: bytes) -> bytes:
    """Within a text most often: there a parser may not look."""
    letters = [found.start() for found in re.finditer(rb"[A-Za-z]", body)]
    at = chance.choice(letters) if letters and chance.random() < 0.8 else _at(chance, body)
    return _replaced(body, at, at + chance.randrange(2), chance.choice(_NOT_UTF8))


def _separator(chance: Random, body: bytes) -> bytes:
    """Other signs between two rows, or between all."""
    found = list(_BETWEEN_ROWS.finditer(body))
    if not found:
        return body
    new = chance.choice(_SEPARATORS)
    if chance.random() < 0.2:
        return _BETWEEN_ROWS.sub(lambda _: new, body)
    one = chance.choice(found)
    return _replaced(body, one.start(), one.end(), new)


def _swap_rows_ends(chance: Random, body: bytes) -> bytes:
    """Signs between rows change places: unbalanced here and there, balanced on the whole."""
    found = [found.start() for found in re.finditer(rb"[}\]],|,[{\[]", body)]
    if len(found) < 2:
        return body
    one, other = sorted(chance.sample(found, 2))
    if other < one + 2:
        return body
    return b"".join(
        [
            *(body[:one], body[other : other + 2], body[one + 2 : other]),
            *(body[one : one + 2], body[other + 2 :]),
        ]
    )


def _balanced(chance: Random, body: bytes) -> bytes:
    """A bracket opened in one place and closed in another, most often in another row."""
    one, other = sorted((_sign(chance, body), _sign(chance, body)))
    opening, closing = chance.choice([(b"[", b"]"), (b"{", b"}"), (b'"', b'"'), (b"[{", b"}]")])
    return body[:one] + opening + body[one:other] + closing + body[other:]


def _space(chance: Random, body: bytes) -> bytes:
    """Space where JSON may have it, or within a text, where it means something."""
    at = _sign(chance, body)
    return _replaced(body, at, at, chance.choice([b" ", b"\n", b"\r\n", b"\t", b"  \n"]))


def _after(chance: Random, body: bytes) -> bytes:
    return body + chance.choice([*_AFTER, body])


def _before(chance: Random, body: bytes) -> bytes:
    return chance.choice([*_AFTER, b"[", b"{", b")]}'\n"]) + body


def _outlying_encoding(chance: Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    return text.encode(chance.choice(["utf-16", "utf-32", "utf-8-sig", "latin-1"]), "replace")


BYTE_MUTATIONS: Final[tuple[ByteMutation, ...]] = (
    *(_flip, _flip, _any_byte, _delete, _delete_sign, _change_sign, _swap_signs, _duplicate),
    *(_move, _truncate, _truncate_start, _truncate_at_row, _insert, _insert, _not_utf8),
    *(_separator, _separator, _separator, _swap_rows_ends, _balanced, _space, _space),
    *(_after, _before, _outlying_encoding),
)
