"""``docs/failures.md``: its table is the one in the code."""

import re
from pathlib import Path

from pipelines.landing import room
from pipelines.recovery import POLICIES, Policy, Remedy

TEXT = (Path(__file__).parents[1] / "docs" / "failures.md").read_text(encoding="utf-8")


def what_follows(policy: Policy) -> str:
    """The policy in the words of the page."""
    words = []
    times = {1: "once", 2: "twice"}
    if policy.tries:
        again = {
            Remedy.WAIT: "waits as long as the service asks",
            Remedy.RETRY: "asks the same again after a pause",
            Remedy.FRESH_TOKEN: "asks the same again with a fresh token",
        }[policy.remedy]
        words.append(f"{again}, {times.get(policy.tries, f'{policy.tries} times')}")
    last = policy.then if policy.tries else policy.remedy
    if last is Remedy.CUT:
        most = f", {policy.cuts} times at most without an answer" if policy.cuts else ""
        words.append(f"asks for less{most}")
        if policy.uncut_tries:
            words.append(f"asks {times[policy.uncut_tries]} more for what can't be cut")
    words.append("fails")
    return "; then ".join(words)


def test_the_table_is_what_the_code_does() -> None:
    """Row by row, in the order of the code: copy what this prints where they differ."""
    expected = [
        f"| {policy.sign} | `{kind.__name__}` | {what_follows(policy)} | {policy.advice} |"
        for kind, policy in POLICIES.items()
    ]
    found = [line for line in TEXT.splitlines() if re.match(r"\| .*\| `\w+` \|", line)]
    assert found == expected, "\n".join(["", *expected])


def test_the_numbers_in_the_text_are_the_code_s() -> None:
    """Pauses, and the room that must be left."""
    assert "two seconds" in TEXT
    assert "a minute at most" in TEXT
    assert f"{room._LEAST_BYTES // 2**20} MiB" in TEXT
