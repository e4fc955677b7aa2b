"""Reading runs through the API: lists with filters and cursors, and what belongs to one run."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from nadi.model.records import AnyRecord
from nadi.storage.contract import Store
from tests.server.serving import Client, Served
from tests.storage.telling import (
    T0,
    S,
    Writer,
    a_call,
    an_id,
    artifact_made,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

ROOT, CHILD, OTHER = an_id(1), an_id(2), an_id(3)
TASK, TASK_2, TASK_3 = an_id(11), an_id(12), an_id(13)

#: What a stranger might hope that some page takes for markup.
SCRIPT = "<script>alert('x')</script>\"'&<img src=x onerror=alert(1)>"


def tell(store: Store, *records: AnyRecord) -> None:
    """Let one process tell a store all of this."""
    Writer(store, f"writer of {len(records)} {records[0].at}").tell(*records)


def a_run() -> list[AnyRecord]:
    """A failed run of two tasks with a subflow of one, which logged and made things."""
    return [
        flow_begun(ROOT, tags=("nightly", "eu"), parameters=b'{"rows":1000,"region":"eu"}'),
        task_begun(ROOT, TASK, task="load", name="load-0"),
        task_moved(ROOT, TASK, S.COMPLETED),
        flow_begun(ROOT, id=CHILD, parent=ROOT, flow="inner", name="inner-run", call=a_call(ROOT, 1)),
        task_begun(ROOT, TASK_2, run=CHILD, task="clean", name="clean-0", upstream=(TASK,)),
        task_moved(ROOT, TASK_2, S.FAILED, message="no disk", detail="Traceback: no disk"),
        log_line(ROOT, "begins"),
        log_line(ROOT, "no DISK left", run=CHILD, task=TASK_2, level=40),
        artifact_made(ROOT, an_id(21), key="report", data=b'"# done"', kind="markdown"),
        metric_logged(ROOT, "loss", 0.5, step=0),
        metric_logged(ROOT, "loss", 0.25, step=1),
        flow_moved(ROOT, S.FAILED, id=CHILD, message="no disk"),
        flow_moved(ROOT, S.FAILED, message="no disk"),
    ]


@pytest.fixture
def client(any_server: Served) -> Client:
    tell(any_server.context.store, *a_run())
    return any_server.client


def got(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_runs_are_listed_newest_first_page_by_page(client: Client, any_server: Served) -> None:
    for n in range(4):
        tell(any_server.context.store, flow_begun(an_id(100 + n), name=f"run-{n}", at=T0 + 100 + n))

    first = got(client, "/api/flow-runs?limit=3")
    rest = got(client, f"/api/flow-runs?limit=3&before={first['next']}")

    assert [run["name"] for run in first["runs"]] == ["run-3", "run-2", "run-1"]
    assert [run["name"] for run in rest["runs"]] == ["run-0", "quiet-river"]
    assert rest["next"] == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("flow=nightly", True),
        ("flow=weekly", False),
        ("state=FAILED&state=CRASHED", True),
        ("state=COMPLETED", False),
        ("tag=nightly&tag=eu", True),
        ("tag=nightly&tag=us", False),
        ("parameter=rows%3D1000", True),
        ("parameter=rows%3D1001", False),
        ("parameter=region%3Deu", True),
        ("parameter=region%3D%22eu%22&parameter=rows%3D1000", True),
        ("text=quiet", True),
        ("text=loud", False),
        ("since=2027-01-15T08:00:00Z&until=2027-01-15T08:00:01Z", True),
        ("since=2027-01-15T08:00:01Z", False),
        ("until=2027-01-15T08:00:00Z", False),
    ],
)
def test_runs_are_found_by_each_filter(client: Client, query: str, found: bool) -> None:
    runs = got(client, f"/api/flow-runs?{query}")["runs"]

    assert [run["id"] for run in runs] == ([ROOT] if found else [])


def test_subflow_runs_are_listed_where_that_is_asked_for(client: Client) -> None:
    runs = got(client, "/api/flow-runs?subflows=true")["runs"]

    assert {run["id"] for run in runs} == {ROOT, CHILD}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=many",
        "state=DONE",
        "since=yesterday",
        "since=2027-01-15T08:00:00",
        "parameter=rows",
        "parameter=%3D1",
        "nosuch=1",
        f"text={'x' * 501}",
        "flow=%00",
        "flow=%ff",
    ],
)
def test_a_query_that_cannot_be_used_is_answered_with_one_sentence(client: Client, query: str) -> None:
    answer = client.get(f"/api/flow-runs?{query}")

    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


def test_one_run_is_shown_in_full(client: Client) -> None:
    run = got(client, f"/api/flow-runs/{ROOT}")
    below = got(client, f"/api/flow-runs/{CHILD}")

    assert (run["state"], run["message"], run["tags"]) == ("FAILED", "no disk", ["nightly", "eu"])
    assert run["parameters"] == {"rows": 1000, "region": "eu"}
    assert run["tasks"] == {"completed": 1}
    assert (below["parent"], below["root"]) == (ROOT, ROOT)


def test_task_runs_are_listed_by_id_by_run_and_by_state(client: Client) -> None:
    everything = got(client, f"/api/flow-runs/{ROOT}/task-runs")
    first = got(client, f"/api/flow-runs/{ROOT}/task-runs?limit=1")
    rest = got(client, f"/api/flow-runs/{ROOT}/task-runs?limit=1&after={first['next']}")
    below = got(client, f"/api/flow-runs/{CHILD}/task-runs")
    failed = got(client, f"/api/flow-runs/{ROOT}/task-runs?state=FAILED")

    assert [task["id"] for task in everything["tasks"]] == [TASK, TASK_2]
    assert [task["id"] for task in first["tasks"] + rest["tasks"]] == [TASK, TASK_2]
    assert [task["id"] for task in below["tasks"]] == [TASK_2]
    assert [task["id"] for task in failed["tasks"]] == [TASK_2]
    assert everything["more"] is False


def test_what_changed_since_a_page_is_told_without_reading_it_all_again(client: Client, any_server: Served) -> None:
    change = got(client, f"/api/flow-runs/{ROOT}/task-runs")["change"]
    nothing = got(client, f"/api/flow-runs/{ROOT}/task-runs?changed_after={change}")

    tell(any_server.context.store, task_begun(ROOT, TASK_3, at=T0 + 70))
    new = got(client, f"/api/flow-runs/{ROOT}/task-runs?changed_after={change}")

    assert nothing["tasks"] == []
    assert [task["id"] for task in new["tasks"]] == [TASK_3]
    assert new["change"] > change


def test_the_two_orders_of_task_runs_are_not_mixed(client: Client) -> None:
    answer = client.get(f"/api/flow-runs/{ROOT}/task-runs?after={TASK}&changed_after=1")

    assert answer.status == 422
    assert answer.json()["error"] == "ValueRefused"


def test_subflows_are_listed_below_their_root_from_wherever_in_it(client: Client) -> None:
    from_root = got(client, f"/api/flow-runs/{ROOT}/subflows")
    from_child = got(client, f"/api/flow-runs/{CHILD}/subflows?limit=1")
    after = got(client, f"/api/flow-runs/{CHILD}/subflows?after={from_child['next']}")

    assert [run["id"] for run in from_root["runs"]] == [CHILD] == [run["id"] for run in from_child["runs"]]
    assert (after["runs"], after["next"]) == ([], "")


def test_the_graph_says_what_was_called_and_what_took_whose_outcome(client: Client) -> None:
    graph = got(client, f"/api/flow-runs/{CHILD}/graph")

    assert [(node["name"], node["state"]) for node in graph["nodes"]] == [
        ("inner", "FAILED"),
        ("load-0", "COMPLETED"),
        ("clean-0", "FAILED"),
    ]
    assert {"source": TASK, "target": TASK_2, "takes": True, "label": "", "is_mapped": False} in graph["edges"]


def test_the_timeline_is_short_arrays_that_go_on(client: Client) -> None:
    first = got(client, f"/api/flow-runs/{ROOT}/timeline?limit=1")
    rest = got(client, f"/api/flow-runs/{ROOT}/timeline?limit=1&after={first['next']}")

    assert first["bars"][0][:5] == [TASK, "load-0", ROOT, "COMPLETED", "Completed"]
    assert rest["bars"][0][:4] == [TASK_2, "clean-0", CHILD, "FAILED"]


def test_what_was_tried_before_is_told_of_all_task_runs_page_by_page(client: Client, any_server: Served) -> None:
    retried: list[AnyRecord] = [
        flow_begun(OTHER, name="flaky"),
        flow_begun(OTHER, id=an_id(4), parent=OTHER, flow="inner", name="inner-run", call=a_call(OTHER, 1)),
    ]
    for n, run in ((31, OTHER), (32, an_id(4))):
        retried += [
            task_begun(OTHER, an_id(n), run=run, at=T0 + 1),
            task_moved(OTHER, an_id(n), S.SCHEDULED, message="no" * 200, due=T0 + 9, at=T0 + 5),
            task_moved(OTHER, an_id(n), S.RUNNING, was=S.SCHEDULED, attempt=2, at=T0 + 9),
            task_moved(OTHER, an_id(n), S.SCHEDULED, message="again", attempt=2, due=T0 + 20, at=T0 + 10),
        ]
    tell(any_server.context.store, *retried)
    path = f"/api/flow-runs/{OTHER}/task-attempts"

    first = got(client, f"{path}?limit=3")
    rest = got(client, f"{path}?limit=3&after={first['next']}")
    of_subflow = got(client, f"/api/flow-runs/{an_id(4)}/task-attempts")

    told = [*first["attempts"], *rest["attempts"]]
    assert [one[:2] for one in told] == [[an_id(31), 1], [an_id(31), 2], [an_id(32), 1], [an_id(32), 2]]
    assert told[1][2:] == ["FAILED", "Failed", T0 + 9, T0 + 10, "again"]
    assert len(told[0][6]) == 200
    assert (len(first["attempts"]), rest["next"]) == (3, "")
    assert [one[:2] for one in of_subflow["attempts"]] == [[an_id(32), 1], [an_id(32), 2]]
    assert got(client, f"/api/flow-runs/{ROOT}/task-attempts") == {"attempts": [], "next": ""}


@pytest.mark.parametrize("after", ["x", ".", "x.", ".1", "x.y", "x.-1", "x." + "9" * 40, "%00.1", "x.%C2%B2"])
def test_where_no_page_of_attempts_ended_none_goes_on(client: Client, after: str) -> None:
    answer = client.get(f"/api/flow-runs/{ROOT}/task-attempts?after={after}")

    assert answer.status == 422, answer.body


def test_why_attempts_and_pauses_are_told(client: Client) -> None:
    why = got(client, f"/api/flow-runs/{ROOT}/why")
    attempts = got(client, f"/api/flow-runs/{ROOT}/attempts")

    assert why["told"][0].startswith("It failed")
    assert [one["state"] for one in attempts] == ["FAILED"]
    assert got(client, f"/api/flow-runs/{ROOT}/pauses") == []
    assert got(client, f"/api/flow-runs/{ROOT}/superseded") == []


def test_a_task_run_is_shown_with_its_attempts_and_lines(client: Client) -> None:
    task = got(client, f"/api/task-runs/{TASK_2}")
    attempts = got(client, f"/api/task-runs/{TASK_2}/attempts")
    lines = got(client, f"/api/task-runs/{TASK_2}/logs")["lines"]

    assert (task["state"], task["detail"], task["root"], task["upstream"]) == (
        "FAILED",
        "Traceback: no disk",
        ROOT,
        [TASK],
    )
    assert [one["state"] for one in attempts] == ["FAILED"]
    assert [line["text"] for line in lines] == ["no DISK left"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/flow-runs/{}",
        "/api/flow-runs/{}/task-runs",
        "/api/flow-runs/{}/graph",
        "/api/flow-runs/{}/timeline",
        "/api/flow-runs/{}/task-attempts",
        "/api/flow-runs/{}/logs",
        "/api/flow-runs/{}/artifacts",
        "/api/flow-runs/{}/metrics",
        "/api/flow-runs/{}/attempts",
        "/api/flow-runs/{}/superseded",
        "/api/flow-runs/{}/subflows",
        "/api/flow-runs/{}/pauses",
        "/api/flow-runs/{}/why",
        "/api/flow-runs/{}/launch",
        "/api/task-runs/{}",
        "/api/task-runs/{}/attempts",
        "/api/task-runs/{}/logs",
        "/api/artifacts/{}",
        "/api/artifacts/{}/content",
        "/api/variables/{}",
        "/api/concurrency-limits/{}",
    ],
)
def test_an_id_that_names_nothing_is_404_with_one_sentence_whatever_it_is(client: Client, path: str) -> None:
    unknown = [an_id(999), "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "a%00b", "x" * 10_000, quote(SCRIPT, safe="")]
    unknown += [quote("ünïcode"), "%ff%fe", "%20", "-", "--", "'; DROP TABLE flow_run; --".replace(" ", "%20")]

    for id in unknown:
        answer = client.get(path.format(id))

        assert answer.status in (404, 414), (id, answer.status, answer.body)
        problem = answer.json()
        assert len(problem["detail"]) < 400, problem
        assert "\n" not in problem["detail"]


def test_the_graph_of_a_run_that_has_ended_is_made_once_and_anew_when_the_run_goes_on(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = server.context.store
    writer = Writer(store)
    writer.tell(*a_run())
    made: list[str] = []
    read = store.recorded_calls

    def noted(root: str) -> Any:
        made.append(root)
        return read(root)

    monkeypatch.setattr(store, "recorded_calls", noted)

    first, second = (got(server.client, f"/api/flow-runs/{run}/graph") for run in (ROOT, CHILD))
    writer.tell(task_begun(ROOT, TASK_3, task="late", name="late-0", at=T0 + 70))
    third = got(server.client, f"/api/flow-runs/{ROOT}/graph")

    assert first == second
    assert made == [ROOT, ROOT]
    assert [node["name"] for node in third["nodes"]][-1] == "late-0"
