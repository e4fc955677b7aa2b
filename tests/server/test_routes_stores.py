"""Every store gives the same answers through the API."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

from tests.server.serving import serving
from tests.server.test_bad_input import SCRIPT
from tests.server.test_routes_runs import CHILD, ROOT, TASK_2, a_run
from tests.storage.conftest import STORES
from tests.storage.telling import Writer, an_id

RUNS = [
    *("", "?flow=nightly", "?state=FAILED&state=CRASHED", "?tag=nightly&tag=eu", "?parameter=rows%3D1000"),
    *("?text=quiet", "?text=QUIET", "?text=%25", "?text=quiet&state=COMPLETED", "?subflows=true", "?tag=%27%3B--"),
    "?since=2027-01-15T08:00:00Z&until=2027-01-15T08:00:01Z",
]
OF_A_RUN = [
    *("", "/task-runs", "/task-runs?state=FAILED", "/task-runs?limit=1", "/subflows", "/graph", "/timeline"),
    *("/logs", "/logs?text=DISK", "/logs?level=ERROR", "/logs?after=0", "/artifacts", "/metrics", "/attempts"),
    *("/task-attempts", "/superseded", "/pauses"),
]
IDS = ["..", "%00", "a%00b", "x" * 10_000, "%F0%9F%98%80", "%ff", "'--", "%3Cscript%3E"]
NOUNS = ["flow-runs", "task-runs", "artifacts", "variables", "concurrency-limits", "flows"]
PATHS = [
    *(f"/api/flow-runs{query}" for query in RUNS),
    *(f"/api/flow-runs/{run}{rest}" for run in (ROOT, CHILD) for rest in OF_A_RUN),
    *(f"/api/task-runs/{TASK_2}{rest}" for rest in ("", "/attempts", "/logs")),
    *("/api/artifacts?key=report", f"/api/artifacts/{an_id(21)}", "/api/events", "/api/assets", "/api/cache"),
    *("/api/flows?newest=5", "/api/flows/nightly/tasks", "/api/flows/nightly/durations"),
    *(f"/api/{noun}/{id}" for noun in NOUNS for id in IDS),
]


def answers(store: str, folder: Path) -> dict[str, tuple[int, str]]:
    """What a server over such a store says to everything, but for numbers that each store gives by itself."""
    folder.mkdir()
    folder.chmod(0o755)
    with contextlib.closing(STORES[store](folder)) as made, serving(made, folder / "home") as served:
        Writer(made).tell(*a_run())
        served.client.put("/api/variables/told", {"value": {"text": f"{SCRIPT}\x00"}})
        found = {path: served.client.get(path) for path in [*PATHS, "/api/variables/told"]}
        return {
            path: (answer.status, _without_numbers(answer.body).replace(made.url, "the store"))
            for path, answer in found.items()
        }


def _without_numbers(body: bytes) -> str:
    told = json.dumps(json.loads(body), sort_keys=True)
    told = re.sub(r'"(change|after|before|first|last|number|updated)": ("[^"]*"|\d+)', r'"\1": 0', told)
    # The change number, last in a bar and in an outcome.
    told = re.sub(r'(\["[^\[\]]*\[[^\]]*\][^\[\]]*", )\d+\]', r"\1 0]", told)
    return re.sub(r'("outcomes": \[\[[^\]]*, )\d+\]', r"\1 0]", told)


def test_every_store_gives_the_same_answers(tmp_path: Path) -> None:
    expected = answers("memory", tmp_path / "memory")

    for store in ("sqlite", "postgres"):
        found = answers(store, tmp_path / store)

        assert found == expected
    assert {status for status, _ in expected.values()} == {200, 404}
