"""An example of an asset downstream of a hunt: a table that DuckDB makes from what landed.

What belongs here: this one example, to be copied. What does not: anything that calls the service.
"""

import dagster as dg

from assets.catalogue import TenantHunts
from pipelines.lake import connect

_HUNT = "device_network_events"

_SQL = """
SELECT
    RemoteUrl,
    count(*) AS connections,
    count(DISTINCT DeviceId) AS devices,
    min(Timestamp) AS first_seen,
    max(Timestamp) AS last_seen
FROM device_network_events
WHERE RemoteUrl <> ''
GROUP BY RemoteUrl
ORDER BY devices, connections, RemoteUrl
"""


def remote_destinations(hunts: TenantHunts) -> dg.AssetsDefinition:
    """Every remote name that devices spoke to, rarest first."""

    @dg.asset(
        key=hunts.key("remote_destinations"),
        deps=[hunts.key(_HUNT)],
        group_name="derived",
        kinds={"duckdb", "parquet"},
        description=f"{remote_destinations.__doc__}\n\n```sql{_SQL}```",
    )
    def destinations() -> dg.MaterializeResult[None]:
        target = hunts.layout.root / "derived" / "remote_destinations.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        with connect(hunts.layout) as connection:
            rows = connection.sql(_SQL).to_arrow_table()
            connection.sql(_SQL).write_parquet(str(target), compression="zstd")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows.num_rows,
                "dagster/uri": dg.MetadataValue.path(str(target)),
                "rarest": dg.MetadataValue.md(
                    "\n".join(f"- `{name}`" for name in rows.column("RemoteUrl").to_pylist()[:10])
                ),
            }
        )

    return destinations
