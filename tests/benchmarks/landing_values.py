"""What the cells of the benchmark's bodies say: real tables' columns, filled as tenants fill them.

What belongs here: columns with the service's names and types, and their values. What does not:
writing rows (``landing_bodies``). A tenant has few programs, users and devices and many command
lines; values that belong together come together.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from types import MappingProxyType
from typing import Final, TypeVar

_T = TypeVar("_T")
Texts = Sequence[str | None]
"""One column: each value as JSON, ``None`` for null."""

_START: Final = datetime(2026, 11, 19, 6, tzinfo=UTC)
_HOUR_TICKS: Final = 36_000_000_000

_PROGRAMS, _USERS, _DEVICES = 900, 1_500, 2_500
_COMPANIES: Final = ("Microsoft Corporation", "Google LLC", "Mozilla Corporation", "7-Zip", "")
_LEVELS: Final = ("Medium", "High", "System", "Low")
_ELEVATIONS: Final = ("TokenElevationTypeDefault", "TokenElevationTypeLimited", "None")

_FILE: Final = ("FileName", "FolderPath", "SHA1", "SHA256", "MD5", "FileSize")
_VERSION_INFO: Final = (
    "CompanyName",
    "ProductName",
    "ProductVersion",
    "InternalFileName",
    "OriginalFileName",
    "FileDescription",
)
_ACCOUNT: Final = ("AccountDomain", "AccountName", "AccountSid", "AccountUpn", "AccountObjectId")
_TIMES: Final = (
    "Timestamp",
    "ProcessCreationTime",
    "InitiatingProcessCreationTime",
    "InitiatingProcessParentCreationTime",
)
_NUMBERS: Final = (
    "FileSize",
    "ProcessId",
    "LogonId",
    "InitiatingProcessLogonId",
    "InitiatingProcessFileSize",
    "InitiatingProcessId",
    "InitiatingProcessParentId",
    "ReportId",
)
_TRUTHS: Final = ("IsInitiatingProcessRemoteSession",)

# The names of DeviceProcessEvents that come in most answers, in the order of the table.
PROCESS_EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        name: "DateTime"
        if name in _TIMES
        else "Int64"
        if name in _NUMBERS
        else "SByte"
        if name in _TRUTHS
        else "String"
        for name in (
            *("Timestamp", "DeviceId", "DeviceName", "ActionType", *_FILE),
            *(f"ProcessVersionInfo{each}" for each in _VERSION_INFO),
            *("ProcessId", "ProcessCommandLine", "ProcessIntegrityLevel", "ProcessTokenElevation"),
            *("ProcessCreationTime", *_ACCOUNT, "LogonId"),
            *(f"InitiatingProcess{each}" for each in _ACCOUNT),
            "InitiatingProcessLogonId",
            *(f"InitiatingProcess{each}" for each in _FILE),
            *("InitiatingProcessId", "InitiatingProcessCommandLine"),
            *("InitiatingProcessCreationTime", "InitiatingProcessParentId"),
            *("InitiatingProcessParentFileName", "InitiatingProcessParentCreationTime"),
            *("InitiatingProcessSignerType", "InitiatingProcessSignatureStatus", "ReportId"),
            *("AdditionalFields", "IsInitiatingProcessRemoteSession"),
        )
    }
)
NETWORK_EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Timestamp": "DateTime",
        "DeviceId": "String",
        "ActionType": "String",
        "RemoteIP": "String",
        "RemotePort": "Int32",
        "RemoteUrl": "String",
        "InitiatingProcessFileName": "String",
        "ReportId": "Int64",
    }
)
CLOUD_APP_EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Timestamp": "DateTime",
        "ActionType": "String",
        "Application": "String",
        "ApplicationId": "Int32",
        "AccountObjectId": "String",
        "IsAdminOperation": "SByte",
        "IPAddress": "String",
        "ActivityObjects": "Object",
        "RawEventData": "Object",
        "AdditionalFields": "Object",
        "ReportId": "String",
    }
)


def process_events(chance: random.Random, rows: int) -> Mapping[str, Texts]:
    """Rows of DeviceProcessEvents in time order."""
    ticks = _ticks(chance, rows)
    programs, users = _programs(chance), _users(chance)
    devices = [(_hex(chance, 40), f"ws-{number:05d}.contoso.com") for number in range(_DEVICES)]
    started, starting, parents = (_picks(chance, programs, rows) for _ in range(3))
    user, by_user = _picks(chance, users, rows), _picks(chance, users, rows)
    device = _picks(chance, devices, rows)
    tokens = chance.choices(_ELEVATIONS, k=rows)
    columns: dict[str, Texts] = {
        "Timestamp": list(map(_time, ticks)),
        "DeviceId": _texts(each[0] for each in device),
        "DeviceName": _texts(each[1] for each in device),
        "ActionType": ['"ProcessCreated"'] * rows,
        "ProcessId": _numbers(chance, rows, 60_000),
        "ProcessCommandLine": _texts(_command(chance, each) for each in started),
        "ProcessIntegrityLevel": _texts(chance.choices(_LEVELS, k=rows)),
        "ProcessTokenElevation": _texts(tokens),
        "ProcessCreationTime": [_time(tick - chance.randrange(10**7)) for tick in ticks],
        "LogonId": _numbers(chance, rows, 2**31),
        "InitiatingProcessLogonId": _numbers(chance, rows, 2**31),
        "InitiatingProcessId": _numbers(chance, rows, 60_000),
        "InitiatingProcessCommandLine": _texts(_command(chance, each) for each in starting),
        "InitiatingProcessCreationTime": [_time(t - chance.randrange(10**11)) for t in ticks],
        "InitiatingProcessParentId": _numbers(chance, rows, 60_000),
        "InitiatingProcessParentFileName": _texts(each["FileName"] for each in parents),
        "InitiatingProcessParentCreationTime": _times_or_null(chance, ticks),
        "InitiatingProcessSignerType": _texts(chance.choices(("OsVendor", "Other"), k=rows)),
        "InitiatingProcessSignatureStatus": _texts(chance.choices(("Valid", "Unknown"), k=rows)),
        "ReportId": _numbers(chance, rows, 10**6),
        "AdditionalFields": [_fields(chance) for _ in range(rows)],
        "IsInitiatingProcessRemoteSession": chance.choices("01", (50, 1), k=rows),
    }
    for name in _FILE:
        columns[name] = _texts(each[name] for each in started)
        columns[f"InitiatingProcess{name}"] = _texts(each[name] for each in starting)
    for name in _VERSION_INFO:
        columns[f"ProcessVersionInfo{name}"] = _texts(each[name] for each in started)
    for name in _ACCOUNT:
        columns[name] = _texts(each[name] for each in user)
        columns[f"InitiatingProcess{name}"] = _texts(each[name] for each in by_user)
    return columns


def process_events_with_dynamic(chance: random.Random, rows: int) -> Mapping[str, Texts]:
    """The same, with what was the text of an object as an object."""
    columns = process_events(chance, rows)
    objects = [text and str(json.loads(text)) for text in columns["AdditionalFields"]]
    return {**columns, "AdditionalFields": objects}


def network_events(chance: random.Random, rows: int) -> Mapping[str, Texts]:
    """Rows of DeviceNetworkEvents in time order, few columns of it."""
    addresses = [".".join(str(chance.randrange(256)) for _ in range(4)) for _ in range(20_000)]
    hosts = ["", *(f"edge-{number}.example.com" for number in range(3_000))]
    programs = _programs(chance)
    return {
        "Timestamp": list(map(_time, _ticks(chance, rows))),
        "DeviceId": _texts(_picks(chance, [_hex(chance, 40) for _ in range(_DEVICES)], rows)),
        "ActionType": _texts(chance.choices(("ConnectionSuccess", "ConnectionFailed"), k=rows)),
        "RemoteIP": _texts(_picks(chance, addresses, rows)),
        "RemotePort": chance.choices(("443", "80", "53", "445", "8080"), (70, 9, 9, 6, 6), k=rows),
        "RemoteUrl": _texts(_picks(chance, hosts, rows)),
        "InitiatingProcessFileName": _texts(
            each["FileName"] for each in _picks(chance, programs, rows)
        ),
        "ReportId": _numbers(chance, rows, 2**53),
    }


def cloud_app_events(chance: random.Random, rows: int) -> Mapping[str, Texts]:
    """Rows of CloudAppEvents in time order: most of each is dynamic, some of it text within."""
    users = [_guid(chance) for _ in range(_USERS)]
    return {
        "Timestamp": list(map(_time, _ticks(chance, rows))),
        "ActionType": _texts(chance.choices(("FileAccessed", "MailItemsAccessed", "Add"), k=rows)),
        "Application": ['"Microsoft SharePoint Online"'] * rows,
        "ApplicationId": chance.choices(("20892", "20893", "11161"), k=rows),
        "AccountObjectId": _texts(_picks(chance, users, rows)),
        "IsAdminOperation": chance.choices("01", (9, 1), k=rows),
        "IPAddress": _texts(f"203.0.113.{chance.randrange(256)}" for _ in range(rows)),
        "ActivityObjects": [_json(_activity_objects(chance)) for _ in range(rows)],
        "RawEventData": [_json(_raw_event(chance)) for _ in range(rows)],
        "AdditionalFields": [_additional(chance) for _ in range(rows)],
        "ReportId": _texts(_guid(chance) for _ in range(rows)),
    }


def with_oddities(columns: Mapping[str, Texts]) -> Mapping[str, Texts]:
    """The same of ``process_events``, with a rare sentinel, lone surrogate and number as text."""
    changed: list[tuple[str, int, Callable[[str | None], str | None]]] = [
        ("InitiatingProcessParentCreationTime", 1_000, lambda _: '"1601-01-01T00:00:00Z"'),
        ("ProcessCommandLine", 5_000, lambda text: f'{(text or "").removesuffix(chr(34))}\\ud83d"'),
        ("FileSize", 3_000, lambda text: f'"{text}"'),
    ]
    odd = dict(columns)
    for name, every, change in changed:
        odd[name] = [
            change(text) if row % every == 7 else text for row, text in enumerate(columns[name])
        ]
    return odd


def _programs(chance: random.Random) -> list[Mapping[str, str | int]]:
    folders = ("C:\\Windows\\System32", "C:\\Program Files\\Contoso", "C:\\Users\\ann\\AppData")
    programs: list[Mapping[str, str | int]] = []
    for number in range(_PROGRAMS):
        name, version = f"tool{number}.exe", f"10.0.{number}.{chance.randrange(5_000)}"
        programs.append(
            {
                "FileName": name,
                "FolderPath": f"{chance.choice(folders)}\\{name}",
                "SHA1": _hex(chance, 40),
                "SHA256": _hex(chance, 64),
                "MD5": _hex(chance, 32),
                "FileSize": chance.randrange(1_000, 10**8),
                "CompanyName": chance.choice(_COMPANIES),
                "ProductName": f"Product {number % 90}®",
                "ProductVersion": version,
                "InternalFileName": name,
                "OriginalFileName": name.upper(),
                "FileDescription": f"Does the work of tool {number}",
            }
        )
    return programs


def _users(chance: random.Random) -> list[Mapping[str, str]]:
    return [
        {
            "AccountDomain": "contoso",
            "AccountName": f"user{number:04d}",
            "AccountSid": f"S-1-5-21-1004336348-1177238915-682003330-{number}",
            "AccountUpn": f"user{number:04d}@contoso.com",
            "AccountObjectId": _guid(chance),
        }
        for number in range(_USERS)
    ]


def _command(chance: random.Random, program: Mapping[str, str | int]) -> str:
    """A third are always the same, the others have something of their own."""
    base = f'"{program["FolderPath"]}"'
    if chance.random() < 1 / 3:
        return f"{base} -k netsvcs -p"
    own = f"--id={chance.getrandbits(60):x} --path=/d/{_hex(chance, 24)}"
    return f"{base} --type=renderer --log-file=C:\\Windows\\Temp\\run.log --quiet --once {own}"


def _fields(chance: random.Random) -> str | None:
    """A column that is text and holds JSON, in some rows."""
    if chance.random() < 0.5:
        return None
    return _json(_json({"Integrity": chance.randrange(9), "Desktop": "Winsta0\\Default"}))


def _activity_objects(chance: random.Random) -> list[dict[str, object]]:
    return [
        {
            "Type": kind,
            "Role": "Target object",
            "Name": f"é {_hex(chance, 12)}",
            "Id": _guid(chance),
        }
        for kind in chance.choices(("File", "Folder", "User"), k=chance.randrange(1, 4))
    ]


def _raw_event(chance: random.Random) -> dict[str, object]:
    """A record of the audit log: some five hundred bytes to two thousand."""
    properties = [
        {
            "Name": f"Setting{number}",
            "OldValue": "",
            "NewValue": _hex(chance, 20),
            "On": number == 3,
        }
        for number in range(chance.randrange(2, 16))
    ]
    return {
        "CreationTime": "2026-11-19T06:12:44",
        "Id": _guid(chance),
        "Workload": "SharePoint",
        "UserType": chance.randrange(5),
        "Size": chance.randrange(2**40),
        "Score": round(chance.random(), 4),
        "IsManagedDevice": chance.random() < 0.5,
        "ObjectId": f"https://contoso.sharepoint.com/sites/a/{_hex(chance, 16)}.docx",
        "DeviceProperties": {"OS": "Windows 11", "Browser": None, "Trust": {"Level": 2}},
        "ModifiedProperties": properties,
    }


def _additional(chance: random.Random) -> str:
    """Sometimes an object, sometimes its text."""
    text = _json({"AppName": "Graph", "Ids": [chance.randrange(99) for _ in range(5)], "Tags": {}})
    return text if chance.random() < 0.5 else _json(text)


def _ticks(chance: random.Random, rows: int) -> list[int]:
    return sorted(chance.randrange(_HOUR_TICKS) for _ in range(rows))


def _time(ticks: int) -> str:
    """The text of an instant so many ticks after the start, its trailing zeros trimmed."""
    seconds, fraction = divmod(ticks, 10**7)
    moment = _START + timedelta(seconds=seconds)
    return f'"{moment:%Y-%m-%dT%H:%M:%S}{f".{fraction:07d}".rstrip("0").rstrip(".")}Z"'


def _times_or_null(chance: random.Random, ticks: Sequence[int]) -> Texts:
    return [
        None if chance.random() < 0.02 else _time(tick - chance.randrange(10**12)) for tick in ticks
    ]


def _picks(chance: random.Random, pool: Sequence[_T], rows: int) -> list[_T]:
    """Each of a pool, the first ones far more often than the last."""
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(pool))))
    return chance.choices(pool, cum_weights=weights, k=rows)


def _numbers(chance: random.Random, rows: int, below: int) -> list[str]:
    return [str(chance.randrange(below)) for _ in range(rows)]


def _texts(values: Iterable[object]) -> list[str]:
    return [_json(value) for value in values]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _hex(chance: random.Random, length: int) -> str:
    return f"{chance.getrandbits(4 * length):0{length}x}"


def _guid(chance: random.Random) -> str:
    digits = _hex(chance, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
