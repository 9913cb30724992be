"""How a committed partition lies in its Parquet file: for whoever reads it, by measurement.

What belongs here: the one choice of row groups, encodings, compression, statistics and Bloom
filters; ``docs/layout.md`` has the figures behind it. What does not: when and where a file is
written (``partition``), and staged slices, which are read once and by us alone (``staging``).

| column                                | written as                                              |
|---------------------------------------|---------------------------------------------------------|
| timestamp, duration                   | delta, without a dictionary: nearly each value is new   |
| any other                             | a dictionary, and plain from where it would grow large  |
| text that names one thing (see below) | and a Bloom filter                                      |

Which columns get a Bloom filter follows from their names on the wire: a filter says of a row group
that it lacks a value, without which an equality has to read the column. It pays for text that
names one thing of many, and that people look up as a whole: hashes, devices, directory objects,
messages, alerts and addresses, as in ``InitiatingProcessSHA256``, ``TargetDeviceId``, ``LocalIP``.

No order is claimed (``sorting_columns``). Rows are in order of time, and statistics say so; but a
hunt that is cut by a hash has one such order for each bucket, and no reader measured asks.
"""

import re
from typing import Any, Final

import pyarrow as pa

from pipelines.landing.schema import WIRE_NAME

# DuckDB reads a row group of this size at a time, and prunes by its statistics.
ROW_GROUP_ROWS: Final = 122_880
# A page in which no row is wanted is not even inflated. Only pages of long text reach this size:
# all others end sooner, after 20,000 rows.
_PAGE_BYTES: Final = 256 * 1024

# KQL's joins and unions number the names that both sides have: SHA256, SHA2561.
_NAMES_ONE_THING: Final = re.compile(
    r"(?:SHA1|SHA256|MD5|DeviceId|ObjectId|MessageId|AlertId|(?<![A-Z])(?:IP|I[Pp]Address|IPv[46]))\d*\Z"
)
_FALSE_POSITIVES: Final = 0.05


def writer_options(schema: pa.Schema) -> dict[str, Any]:
    """The arguments of ``pyarrow.parquet.ParquetWriter`` for a partition of this schema.

    Rows are to be handed to it ``ROW_GROUP_ROWS`` at a time.
    """
    delta = [field.name for field in schema if _is_time(field.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [field.name for field in schema if field.name not in delta],
        "column_encoding": dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
        "data_page_size": _PAGE_BYTES,
        "write_page_index": True,
        # The writer cuts a filter down to the distinct values that it has seen.
        "bloom_filter_options": {
            field.name: {"ndv": ROW_GROUP_ROWS, "fpp": _FALSE_POSITIVES}
            for field in schema
            if names_one_thing(field)
        },
    }


def names_one_thing(field: pa.Field) -> bool:
    """Whether a column holds hashes, ids or addresses that are looked up as a whole."""
    wire_name = (field.metadata or {}).get(WIRE_NAME, b"").decode()
    return field.type == pa.string() and _NAMES_ONE_THING.search(wire_name) is not None


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_duration(kind))
