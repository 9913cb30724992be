"""What made-up events say, as SQL over a row's number ``i`` and its hashes ``h`` and ``g``.

What belongs here: words and expressions. What does not: when events happen (``synthetic``).
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pipelines.translation import held_instant, time_literal
from pipelines.windows import parse_instant

_PROCESSES: Final = (
    *("chrome.exe", "svchost.exe", "outlook.exe", "powershell.exe", "cmd.exe", "teams.exe"),
    *("msedge.exe", "winword.exe", "explorer.exe", "pwsh.exe", "curl.exe", "anydesk.exe"),
)
_COMMANDS: Final = (
    "powershell.exe -NoProfile -enc SQBFAFgA",
    'cmd.exe /c "whoami & hostname"',
    "C:\\Windows\\System32\\svchost.exe -k netsvcs",
    "chrome.exe --profile=\"Default\" --flag='x'",
    "curl.exe -o C:\\Temp\\a.bin https://files.example.net/a",
    "first line\nsecond line\ttab",
    "ünïcode 日本語 עברית العربية 😀",
    "",
)
_URLS: Final = (
    *("update.example.com", "files.example.net", "login.example.org", "cdn.example.com"),
    *("relay.anydesk.example", "пример.example", "mail.example.com", ""),
)
_ACTIONS: Final = (
    *("ConnectionSuccess", "ConnectionFailed", "ConnectionAttempt", "InboundConnectionAccepted"),
    *("LogonSuccess", "LogonFailed", "LogonFailed", "ProcessCreated", "FileCreated"),
)
_FOLDERS: Final = ("C:\\Windows\\System32", "C:\\Users\\Public\\Downloads", "C:\\Temp")
_SEVERITIES: Final = ("Informational", "Low", "Medium", "High")
_CATEGORIES: Final = ("Execution", "Exfiltration", "InitialAccess", "CredentialAccess")


def _one_of(words: Sequence[str], salt: int) -> str:
    listed = ", ".join(_text(word) for word in words)
    return f"([{listed}])[1 + (g // {salt}) % {len(words)}]"


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def _address(salt: int) -> str:
    return f"concat('10.', (g // {salt}) % 7, '.', (h // {salt}) % 200, '.', (h // 3) % 250)"


def _time(text: str) -> str:
    return time_literal(held_instant(parse_instant(text)))


# One device and one account see a tenth and a twentieth of all that happens: somebody is guessing.
_DEVICE: Final = "CASE WHEN g % 10 = 0 THEN 7 ELSE g % 400 END"

_BY_NAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DeviceId": f"sha1(concat('device', {_DEVICE}))",
        "DeviceName": f"concat('host-', {_DEVICE}, '.corp.example')",
        "ActionType": _one_of(_ACTIONS, 11),
        "RemoteIP": _address(7),
        "LocalIP": _address(13),
        "RemoteIPType": "([ 'Public', 'Private' ])[1 + g % 2]",
        "RemotePort": "([443, 80, 53, 445, 3389, 22, 8443])[1 + g % 7]",
        "LocalPort": "(49152 + h % 16000)::INTEGER",
        "RemoteUrl": _one_of(_URLS, 17),
        "Protocol": "([ 'Tcp', 'Udp' ])[1 + g % 2]",
        "FileName": _one_of(_PROCESSES, 19),
        "FolderPath": _one_of(_FOLDERS, 23),
        "ProcessCommandLine": _one_of(_COMMANDS, 29),
        "InitiatingProcessFileName": _one_of(_PROCESSES, 31),
        "InitiatingProcessCommandLine": _one_of(_COMMANDS, 37),
        "SHA1": "sha1(concat('f', g % 5000))",
        "SHA256": "sha256(concat('f', g % 5000))",
        "MD5": "md5(concat('f', g % 5000))",
        "InitiatingProcessSHA256": "sha256(concat('p', g % 700))",
        "AccountName": "CASE WHEN g % 20 = 0 THEN 'backup' ELSE concat('user', g % 350) END",
        "AccountUpn": "concat('user', g % 350, '@corp.example')",
        "AccountDomain": "'corp'",
        "LogonType": "([ 'Interactive', 'Network', 'RemoteInteractive' ])[1 + g % 3]",
        "FailureReason": "CASE WHEN g % 4 = 0 THEN 'InvalidUserNameOrPassword' END",
        # Unique only together with the device and the time, as the service's.
        "ReportId": "(h % 100000)::BIGINT",
        "AlertId": "concat('da', h)",
        "Title": "concat('Suspicious activity ', g % 40)",
        "Severity": _one_of(_SEVERITIES, 41),
        "Category": _one_of(_CATEGORIES, 43),
        "LogonId": "CASE WHEN h % 9 = 0 THEN 9223372036854775807 ELSE (h % 999983)::BIGINT END",
        "AdditionalFields": """CASE h % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE concat(
            '{"b":', g % 50, ',"a":"x","mail@home":true,"list":[{"k":', h % 9, '}]}') END""",
        "CveId": "concat('CVE-2026-', 1000 + i)",
        "SoftwareName": _one_of(("openssl", "7-zip", "chrome", "java"), 47),
        "SoftwareVendor": _one_of(("openssl", "7-zip", "google", "oracle"), 47),
        "SoftwareVersion": "concat(g % 9, '.', h % 20)",
        "VulnerabilitySeverityLevel": _one_of(_SEVERITIES, 53),
        "OSPlatform": "([ 'Windows11', 'Linux', 'macOS' ])[1 + g % 3]",
    }
)

# What a name says is text, but for these; a column of the same name and another type says what its
# type does.
_NAMED_TYPES: Final[Mapping[str, set[str]]] = MappingProxyType(
    {
        "RemotePort": {"int", "long"},
        "LocalPort": {"int", "long"},
        "ReportId": {"long", "string"},
        "LogonId": {"long"},
        "AdditionalFields": {"dynamic", "string"},
    }
)

_BY_TYPE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string": "CASE h % 40 WHEN 0 THEN '' END",
        "bool": "CASE h % 3 WHEN 0 THEN true WHEN 1 THEN false END",
        "boolean": "CASE h % 3 WHEN 0 THEN true WHEN 1 THEN false END",
        "int": "CASE WHEN h % 5 > 0 THEN (g % 65536)::INTEGER END",
        "long": "CASE WHEN h % 5 > 0 THEN (g % 4294967296)::BIGINT END",
        "real": "CASE WHEN h % 5 > 0 THEN (g % 1000) / 7.0 END",
        "guid": "CASE WHEN h % 5 > 0 THEN md5(i::VARCHAR)::UUID END",
        "dynamic": "CASE h % 5 WHEN 0 THEN '[]' WHEN 1 THEN '{\"n\":1.5}' END",
        # Sentinels stand where a time is not known.
        "date": f"""CASE h % 6 WHEN 0 THEN {_time("0001-01-01")} WHEN 1 THEN {_time("1601-01-01")}
            WHEN 2 THEN TIMESTAMP '2026-01-02 03:04:05.678' + to_seconds(g % 9999999) END""",
    }
)


def expression(column: str, kusto_type: str) -> str:
    """SQL for the values of a column: by its name where that says something, else by its type."""
    if column in _BY_NAME and kusto_type in _NAMED_TYPES.get(column, {"string"}):
        return _BY_NAME[column]
    return _BY_TYPE[kusto_type]


_AWKWARD_TEXTS: Final = (
    *("", " ", "plain", 'quote " and \\ backslash', "line\nfeed\r\n\ttab", "it''s"),
    *(
        "日本語",
        "עברית",
        "العربية",
        "ไทย",
        "हिन्दी",
        "😀 beyond the BMP",
        "e\u0301 combining",
        "\u202eright to left",
    ),
    *(
        '},{"Timestamp":',
        "null",
        "{}",
        "[]",
        "0001-01-01T00:00:00Z",
        "\u2028separator",
        "\ufeffmark",
    ),
)
_AWKWARD_BAGS: Final[tuple[Any, ...]] = (
    *({"b": 1, "a": [1, 2.5]}, {"@type": "x", "mail@home": "y"}, {"n": {"deep": {"er": None}}}),
    *([{"k": 1}, {"k": 2}], ["text", "more"], [], "just text", True, {"quote": 'a"b\\c'}),
    *({"list": [{"x": '{"inner":1}'}], "flag": False}, {"日本": "語"}, 3),
)
_AWKWARD_SPANS: Final = (0, 1, -1, 12_345_678, 10**7, -864_000_000_001, 93_784_123_456_7, 10**17)
_AWKWARD_REALS: Final = (
    *("0.1", "-0.0", "1e22", "5e-324", "1.7976931348623157e308", "3.0", "0.30000000000000004"),
    *("'NaN'", "'Infinity'", "'-Infinity'"),
)
_AWKWARD_LONGS: Final = (
    *("0", "9223372036854775807", "(-9223372036854775807 - 1)", "639199803770463703"),
    *("9007199254740993", "-1"),
)
_AWKWARD_TIMES: Final = (
    "0001-01-01",
    "1601-01-01",
    "2026-11-20T00:00:00.5Z",
    "9999-12-31T23:59:59.999999Z",
)
_AWKWARD_DECIMALS: Final = ("0", "0.1", "-1.5", "99999999999999999.99999999999999999", "1e-17")


def awkward_columns() -> Mapping[str, str]:
    """SQL for the table that holds every type: values that break decoders, and nulls."""
    texts = ", ".join(_text(text) for text in _AWKWARD_TEXTS)
    bags = ", ".join(_text(json.dumps(bag, ensure_ascii=False)) for bag in _AWKWARD_BAGS)
    spans = ", ".join(map(str, _AWKWARD_SPANS))
    reals = ", ".join(f"{text}::DOUBLE" for text in _AWKWARD_REALS)
    decimals = ", ".join(f"{text}::DECIMAL(38, 17)" for text in _AWKWARD_DECIMALS)
    return {
        "Text": _cycle(f"[{texts}, concat('nul', chr(0), 'inside'), NULL]"),
        "Flag": _cycle("[true, false, NULL]"),
        "Small": _cycle("[0, 2147483647, -2147483648, NULL]::INTEGER[]"),
        "Big": _cycle(f"[{', '.join(_AWKWARD_LONGS)}, NULL]::BIGINT[]"),
        "Real": _cycle(f"[{reals}, NULL]"),
        "Money": _cycle(f"[{decimals}, NULL]"),
        "Id": _cycle("[md5(i::VARCHAR)::UUID, NULL]"),
        "Span": f"{{'ticks': {_cycle(f'[{spans}]')}::BIGINT}}",
        "Bag": _cycle(f"[{bags}, NULL]"),
        "Sentinel": _cycle(f"[{', '.join(map(_time, _AWKWARD_TIMES))}, NULL]"),
        "LogonId": "i::BIGINT",
        "LogonID": "concat('upper-', i)",
    }


def _cycle(listed: str) -> str:
    return f"({listed})[1 + i % len({listed})]"
