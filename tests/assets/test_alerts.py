"""The alert that ``docs/operating.md`` shows, on a run that failed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from pipelines.standin import Standin
from tests.assets.test_exports import hunts, materialize

__all__ = ["hunts", "materialize"]

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"


def test_the_alert_says_what_failed_and_what_to_do(
    serve: Callable[..., Standin],
    materialize: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code of the page, as it stands there."""
    match = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    module: dict[str, Any] = {}
    exec(compile(match[1], PAGE, "exec"), module)  # noqa: S102 - what a reader would paste
    sent: list[Any] = []

    def post(url: str, *, json: Any) -> httpx.Response:
        sent.append((url, json))
        return httpx.Response(200, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)
    monkeypatch.setenv("ALERT_WEBHOOK", "https://hooks.example/1")
    standin = serve()
    standin.revoke_permission()
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(standin, instance, partition_key="2026-11-19")
        event = result.get_run_failure_event()
        context = dg.build_run_status_sensor_context(
            "alert", event, instance, result.dagster_run
        ).for_run_failure()
        module["alert"](context)
    [(url, body)] = sent
    assert url == "https://hooks.example/1"
    assert "ThreatHunting.Read.All" in body["text"]
    assert "To do: grant the permission that the message names" in body["text"]
    assert len(json.dumps(body)) < 1_500
