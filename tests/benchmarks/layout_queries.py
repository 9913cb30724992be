"""What people ask of process events, and with which values.

What belongs here: the queries, in SQL over a view. What does not: what the view reads.
"""

from collections.abc import Mapping
from typing import Final

import duckdb

# In the order of what they read: from a few rows of a few columns to columns of all rows.
QUERIES: Final[Mapping[str, str]] = {
    "hash": """
        SELECT Timestamp, DeviceName, AccountName, ProcessCommandLine
        FROM {events} WHERE SHA256 = '{hash}'
    """,
    "ip": """
        SELECT Timestamp, DeviceName, AccountName, ProcessRemoteSessionIP, ProcessCommandLine
        FROM {events} WHERE ProcessRemoteSessionIP = '{ip}'
    """,
    "device": """
        SELECT Timestamp, FileName, ProcessCommandLine, InitiatingProcessFileName
        FROM {events}
        WHERE DeviceId = '{device}'
            AND Timestamp >= '2026-11-20 14:00' AND Timestamp < '2026-11-20 15:00'
    """,
    "minute": """
        SELECT * FROM {events}
        WHERE Timestamp >= '2026-11-20 09:30' AND Timestamp < '2026-11-20 09:31'
    """,
    "children": """
        SELECT parent.ProcessCommandLine, child.FileName, count(*) AS children
        FROM {events} AS child
        JOIN {events} AS parent
            ON child.DeviceId = parent.DeviceId
            AND child.InitiatingProcessId = parent.ProcessId
            AND child.InitiatingProcessCreationTime = parent.ProcessCreationTime
        WHERE parent.FileName = '{program}'
            AND child.Timestamp >= '2026-11-20 08:00' AND child.Timestamp < '2026-11-20 12:00'
            AND parent.Timestamp >= '2026-11-20 08:00' AND parent.Timestamp < '2026-11-20 12:00'
        GROUP BY ALL ORDER BY ALL LIMIT 100
    """,
    "hours": """
        SELECT date_trunc('hour', Timestamp::TIMESTAMPTZ) AS hour, AccountDomain, count(*) AS events
        FROM {events} GROUP BY ALL
    """,
    "json": """
        SELECT AdditionalFields->>'$.Tags[0]' AS tag, count(*) AS events,
            sum(CAST(AdditionalFields->>'$.Score' AS INTEGER)) AS score
        FROM {events} GROUP BY ALL
    """,
    "command lines": """
        SELECT ProcessCommandLine, count(*) AS events, count(DISTINCT DeviceId) AS devices
        FROM {events} WHERE ProcessCommandLine ILIKE '%-encodedcommand%'
        GROUP BY ALL ORDER BY events DESC, ProcessCommandLine LIMIT 20
    """,
}

_VALUES: Final[Mapping[str, str]] = {
    # Seen once, in the middle of the day.
    "hash": """
        SELECT SHA256 FROM {events} GROUP BY SHA256
        HAVING count(*) = 1 AND min(Timestamp) >= '2026-11-20 11:00' ORDER BY min(Timestamp) LIMIT 1
    """,
    "ip": """
        SELECT ProcessRemoteSessionIP FROM {events} WHERE ProcessRemoteSessionIP IS NOT NULL
        GROUP BY ALL HAVING min(Timestamp) >= '2026-11-20 06:00' ORDER BY min(Timestamp), 1 LIMIT 1
    """,
    "device": """
        SELECT DeviceId FROM {events}
        WHERE Timestamp >= '2026-11-20 14:00' AND Timestamp < '2026-11-20 15:00'
        GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1
    """,
    "program": """
        SELECT InitiatingProcessFileName FROM {events}
        WHERE Timestamp >= '2026-11-20 08:00' AND Timestamp < '2026-11-20 12:00'
            AND InitiatingProcessCreationTime >= '2026-11-20 08:00'
        GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1
    """,
}


def values(connection: duckdb.DuckDBPyConnection, events: str) -> dict[str, str]:
    """Values that are in the events, to ask for."""
    return {
        name: connection.execute(sql.format(events=events)).fetchall()[0][0]
        for name, sql in _VALUES.items()
    }
