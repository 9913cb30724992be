"""Changes of a body's tree: what a service might send one day, and what attacks cutting at rows.

What belongs here: changes after which the body is JSON, or nearly. What does not: changes of bytes
(``byte_mutations``), and what a change amounts to, which the reference decoder says.

A quick decoder cuts the results where ``},{"<first key>":`` stands, and takes heads and tails for
what they usually are. So here that text stands where no row ends, and rows end without it.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any, Final

from tests.landing.reference import Num
from tests.landing.trees import Members, Style, Written, read_tree, write_tree

TreeMutation = Callable[[Random, Members], None]

_NUMBERS: Final = (
    *("0", "1", "-0", "-0.0", "1.0", "1e400", "-1e400", "1E5", "1e-400", "0.1", "5.5"),
    *("2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("639199803770463703", "12345678901234567890123", "9" * 400, f"0.{'1' * 60}"),
)
_TEXTS: Final = (
    *("", "x", "0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z"),
    *("2026-11-20T06:38:48.1187436Z", "2026-02-30T00:00:00Z", "\ud800", "\udc00x", "\0", "\n"),
    *('"},{"', "}]}", "[]", "{}", "NaN", "Infinity", "1", "1.5", "true", "é😀", "\\", "\u2028"),
    *('{"a":1}', '{"a":NaN}', '{"a":1,"a":2}', "P1DT2H", "-00:00:01", "1e5", " 1", "null"),
)
_NOT_JSON: Final = (
    *("NaN", "Infinity", "-Infinity", "01", "-01", "1.", ".5", "+1", "1e", "-", "0x1F", "1_0"),
    *("nul", "True", "None", "undefined", "'x'", "/*x*/1", "1/**/", "//x\n1", '"\\x"', '"\\u12"'),
    *('"\t"', '"\n"', '"\\ud800"', "", "[1,]", '{"a":1,}', "[,1]", '{"a"}', "{1:2}", "1 2", "-"),
    *('"a""b"', "1e+", "--1", "[1", "{", "}", "]", '"\x7f"', "\u00a01", "\ufeff1", "1\x0c"),
)
_ROW_LIKE: Final = ("results", "Results", "RESULTS", "value", "schema", "Schema", "Stats")


def mutate_tree(chance: Random, body: bytes) -> bytes:
    """One change of the tree; the body as it is where it isn't JSON."""
    tree = read_tree(body)
    if tree is None:
        return body
    chance.choice(TREE_MUTATIONS)(chance, tree)
    return write_tree(tree, chance.choice(_STYLES))


# Mostly as the service writes; else with spaces, and lines that end where no row does.
_STYLES: Final = (
    *(Style(),) * 8,
    Style(", ", ": "),
    Style(before_item=" "),
    Style(before_item="\n"),
    Style(before_end="\n"),
    Style(comma=",\n"),
    Style(comma="\r\n,"),
    Style(colon=":\n"),
    Style(colon=" :"),
    Style(ascii_only=True),
)


def _member(tree: Members, name: str) -> int | None:
    found = [number for number, (key, _) in enumerate(tree) if key.lower() == name]
    return found[0] if found else None


def _value(tree: Members, name: str) -> Any:
    number = _member(tree, name)
    return None if number is None else tree[number][1]


def _rows(tree: Members) -> list[Any]:
    rows = _value(tree, "results")
    return rows if isinstance(rows, list) and not isinstance(rows, Members) else []


def _row(chance: Random, tree: Members) -> Members:
    """One of the rows, the first and the last more often than others; else a new one."""
    rows = [row for row in _rows(tree) if isinstance(row, Members)]
    if not rows:
        return Members()
    return chance.choice([rows[0], rows[-1], chance.choice(rows), chance.choice(rows)])


def _some_rows(chance: Random, tree: Members) -> list[Members]:
    """One row, or each."""
    rows = [row for row in _rows(tree) if isinstance(row, Members)]
    return rows if chance.random() < 0.2 else [_row(chance, tree)]


def _first_key(tree: Members) -> str:
    rows = [row for row in _rows(tree) if isinstance(row, Members) and row]
    return rows[0][0][0] if rows else "Timestamp"


def _like_rows(chance: Random, tree: Members) -> Any:
    """Values that hold what stands between rows, as structure or within a text."""
    # Copies, or a row could come to hold itself.
    key, rows = _first_key(tree), deepcopy(_rows(tree)[:3])
    some = [Members([(key, Num("1"))]), Members([(key, "x")]), Members([(key, None), ("b", [])])]
    text = write_tree(some).decode("utf-8", "surrogatepass")
    return chance.choice(
        [
            some,
            [some, some],
            Members([(key, some)]),
            Members([("Results", some), ("Schema", some)]),
            text,
            text[1:-1],
            [text],
            [json.dumps(text)],
            rows,
            [*rows, *some],
            [Members()] * 3,
        ]
    )


def _odd_value(chance: Random, tree: Members) -> Any:
    return chance.choice(
        [
            None,
            True,
            False,
            [],
            Members(),
            Num(chance.choice(_NUMBERS)),
            Num(chance.choice(_NUMBERS)),
            chance.choice(_TEXTS),
            chance.choice(_TEXTS),
            _like_rows(chance, tree),
            _like_rows(chance, tree),
            Members([("@odata.type", "#microsoft.graph.x"), ("a", Num("1.50")), ("a", [None])]),
            ['{"b":1,"a":2}', '{"a":1}'],
            _deep(chance.choice([30, 30, 5_000])),
        ]
    )


def _deep(depth: int) -> Written:
    return Written(f"{'[' * depth}{']' * depth}")


def _replace_value(chance: Random, tree: Members) -> None:
    value = _odd_value(chance, tree)
    for row in _some_rows(chance, tree):
        if row:
            number = chance.choice([0, chance.randrange(len(row)), len(row) - 1])
            row[number] = (row[number][0], value)


def _break_value(chance: Random, tree: Members) -> None:
    row = _row(chance, tree)
    if row:
        number = chance.randrange(len(row))
        row[number] = (row[number][0], Written(chance.choice(_NOT_JSON)))


def _reorder_keys(chance: Random, tree: Members) -> None:
    for row in _some_rows(chance, tree):
        chance.shuffle(row)


def _first_key_goes(chance: Random, tree: Members) -> None:
    for row in _some_rows(chance, tree):
        if row:
            del row[0]


def _any_key_goes(chance: Random, tree: Members) -> None:
    for row in _some_rows(chance, tree):
        if row:
            del row[chance.randrange(len(row))]


def _row_is_empty(chance: Random, tree: Members) -> None:
    _row(chance, tree).clear()


def _repeat_key(chance: Random, tree: Members) -> None:
    row = _row(chance, tree)
    if row:
        key, value = chance.choice(row)
        again = chance.choice([value, _odd_value(chance, tree)])
        row.insert(chance.choice([0, len(row), chance.randrange(len(row) + 1)]), (key, again))


def _rename_key(chance: Random, tree: Members) -> None:
    for row in _some_rows(chance, tree):
        if row:
            number = chance.choice([0, chance.randrange(len(row))])
            key = row[number][0]
            names = [key.upper(), key.lower(), f"{key} ", f"{key}@odata.type", "", "\ud800", "\0"]
            row[number] = (chance.choice(names), row[number][1])


def _add_key(chance: Random, tree: Members) -> None:
    value = _odd_value(chance, tree)
    for row in _some_rows(chance, tree):
        known = row[0][0] if row else "x"
        name = chance.choice(
            [
                "unknown",
                "Unknown",
                "@odata.type",
                f"{known}@odata.type",
                "x@odata.type",
                "error",
                "",
            ]
        )
        row.insert(chance.choice([0, len(row)]), (name, value))


def _odd_row(chance: Random, tree: Members) -> None:
    rows = _rows(tree)
    row = chance.choice(
        [None, [], "x", Num("1"), True, Members(), [Members()], _like_rows(chance, tree)]
    )
    rows.insert(chance.choice([0, len(rows), chance.randrange(len(rows) + 1)]), row)


def _rows_change(chance: Random, tree: Members) -> None:
    rows = _rows(tree)
    if not rows:
        return
    match chance.randrange(5):
        case 0:
            rows.reverse()
        case 1:
            rows.clear()
        case 2:
            del rows[1:]
        case 3:
            rows.extend(rows[: chance.randrange(1, 4)])
        case 4:
            del rows[chance.randrange(len(rows))]


def _nest_rows(chance: Random, tree: Members) -> None:
    """Some rows become a value of the one before them."""
    rows = _rows(tree)
    if len(rows) > 1 and isinstance(rows[0], Members):
        first = chance.randrange(1, len(rows))
        nested = rows[first : first + chance.randrange(1, 5)]
        del rows[first : first + len(nested)]
        if isinstance(before := rows[first - 1], Members):
            before.append((chance.choice(["rows", _first_key(tree)]), nested))


def _move_member(chance: Random, tree: Members) -> None:
    """Members of the envelope in another order: the schema after the results, ..."""
    chance.shuffle(tree)


def _add_member(chance: Random, tree: Members) -> None:
    """Another member, before or after the results: some forbid the whole answer."""
    rows = _like_rows(chance, tree)
    text = write_tree(rows).decode("utf-8", "surrogatepass")
    member = chance.choice(
        [
            ("more", rows),
            ("Stats", Members([("Results", rows), ("Schema", [])])),
            ("first", Members([("Results", rows), ("results", Members([("Results", rows)]))])),
            ("note", f'"Results":{text}'),
            ("Results", f'"Results":{text}'),
            (f'"Results":{text}', None),
            ("@odata.nextLink", "x"),
            ("NEXTLINK", None),
            ("error", Members()),
            ("Error", Members()),
            (chance.choice(_ROW_LIKE), _odd_value(chance, tree)),
            (chance.choice(_ROW_LIKE), rows),
        ]
    )
    tree.insert(
        chance.choice([0, 0, len(tree), len(tree), chance.randrange(len(tree) + 1)]), member
    )


def _drop_member(chance: Random, tree: Members) -> None:
    if tree:
        del tree[chance.randrange(len(tree))]


def _odd_member(chance: Random, tree: Members) -> None:
    if tree:
        number = chance.randrange(len(tree))
        tree[number] = (tree[number][0], _odd_value(chance, tree))


def _rename_member(chance: Random, tree: Members) -> None:
    if tree:
        number = chance.randrange(len(tree))
        key, value = tree[number]
        tree[number] = (chance.choice([key.upper(), key.lower(), f"{key} ", f"x{key}"]), value)


def _schema(tree: Members) -> list[Any]:
    schema = _value(tree, "schema")
    return schema if isinstance(schema, list) and not isinstance(schema, Members) else []


def _change_schema(chance: Random, tree: Members) -> None:
    schema = _schema(tree)
    if not schema:
        return
    number = chance.randrange(len(schema))
    match chance.randrange(5):
        case 0:
            schema.append(schema[number])
        case 1:
            del schema[number]
        case 2:
            chance.shuffle(schema)
        case 3:
            schema[number] = _odd_value(chance, tree)
        case 4:
            for entry in schema:
                if isinstance(entry, Members):
                    entry.reverse()


def _change_entry(chance: Random, tree: Members) -> None:
    """A name or a type that is none, or a third member."""
    entries = [entry for entry in _schema(tree) if isinstance(entry, Members) and entry]
    if not entries:
        return
    entry = chance.choice(entries)
    number = chance.randrange(len(entry))
    match chance.randrange(3):
        case 0:
            entry.append((chance.choice(["extra", "Name", "name"]), _odd_value(chance, tree)))
        case 1:
            entry[number] = (entry[number][0], _odd_value(chance, tree))
        case 2:
            entry[number] = (entry[number][0].swapcase(), entry[number][1])


def _change_type(chance: Random, tree: Members) -> None:
    """A column has another type than its values."""
    kinds = ("DateTime", "String", "SByte", "Int32", "Int64", "Double", "Object", "Other", "Guid")
    entries = [entry for entry in _schema(tree) if isinstance(entry, Members) and len(entry) > 1]
    if entries:
        entry = chance.choice(entries)
        entry[1] = (entry[1][0], chance.choice(kinds))


def _change_statistics(chance: Random, tree: Members) -> None:
    rows = Members([("table_row_count", _odd_value(chance, tree))])
    stats = Members(
        [
            ("ExecutionTime", _odd_value(chance, tree)),
            ("dataset_statistics", chance.choice([[rows], [rows, rows], [], rows])),
        ]
    )
    number = _member(tree, "stats")
    if number is not None:
        tree[number] = ("Stats", stats)
    else:
        tree.insert(chance.choice([0, len(tree)]), ("Stats", stats))


def _escape_key(chance: Random, tree: Members) -> None:
    """A key written another way is the same key: in place of the usual one, or beside it."""
    row = _row(chance, tree)
    if not row or not row[0][0]:
        return
    number = chance.choice([0, chance.randrange(len(row))])
    key, value = row[number]
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key if ord(letter) < 0x10000)
    pieces = [f'"{escaped}":{write_tree(value).decode("utf-8", "surrogatepass")}']
    # A row that is written anew, since a tree has each key in one way only.
    rest = [each for at, each in enumerate(row) if at != number or chance.random() < 0.3]
    pieces += [write_tree(Members([each])).decode("utf-8", "surrogatepass")[1:-1] for each in rest]
    if chance.random() < 0.5:
        pieces.reverse()
    rows = _rows(tree)
    [at] = [at for at, each in enumerate(rows) if each is row][:1]
    rows[at] = Written(f"{{{','.join(pieces)}}}")


TREE_MUTATIONS: Final[tuple[TreeMutation, ...]] = (
    *(_replace_value, _replace_value, _break_value, _reorder_keys, _first_key_goes),
    *(_any_key_goes, _row_is_empty, _repeat_key, _rename_key, _add_key, _odd_row),
    *(_rows_change, _nest_rows, _move_member, _add_member, _add_member, _drop_member),
    *(_odd_member, _rename_member, _change_schema, _change_entry, _change_type, _change_statistics),
    _escape_key,
)
