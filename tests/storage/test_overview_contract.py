"""The overview of a store: pages, counts, history and changes. The same on every store."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from nadi.exceptions import NadiError, StoreUnavailable
from nadi.model.ids import uuid7
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import FINAL, StateType
from nadi.storage.contract import Ending, Store
from nadi.storage.contracts.overview import HOUR, FlowSummary, brief_run
from nadi.storage.terms import has_terms, wanted_terms
from tests.storage.telling import T0, S, Writer, a_call, an_id, flow_begun, flow_moved, log_line, task_begun

#: The beginning of an hour, and of a day.
DAY = T0 // 86_400 * 86_400


def ids(runs: list[FlowRun]) -> list[str]:
    return [run.id for run in runs]


def begin(store: Store, n: int, **given: Any) -> str:
    """Begin the n-th run, n seconds after T0, and let it end in `state` when that is final."""
    root, at = an_id(n), T0 + n
    state = given.pop("state", S.RUNNING)
    took = given.pop("took", 1.0)
    given.setdefault("name", f"run-{n}")
    writer = Writer(store, f"writer-of-{n}")
    writer.tell(flow_begun(root, **({"at": at} | given)))
    if state is not S.RUNNING:
        writer.tell(flow_moved(root, state, at=given.get("at", at) + took))
    return root


def all_pages(store: Store, which: RunFilter, **given: Any) -> list[str]:
    found: list[str] = []
    before = ""
    while True:
        page = store.overview.page(which, before=before, **given)
        found += ids(page.runs)
        before = page.next
        if not before:
            return found


# -- pages --


def test_a_page_has_the_newest_runs_and_says_where_to_go_on(store: Store) -> None:
    runs = [begin(store, n) for n in range(5)]

    first = store.overview.page(RunFilter(), limit=2)
    second = store.overview.page(RunFilter(), limit=2, before=first.next)
    third = store.overview.page(RunFilter(), limit=2, before=second.next)

    assert ids(first.runs) == [runs[4], runs[3]]
    assert ids(second.runs) == [runs[2], runs[1]]
    assert ids(third.runs) == [runs[0]]
    assert (first.next, third.next) == (runs[3], "")


def test_a_page_that_ends_with_the_last_run_says_that_there_is_nothing_older(store: Store) -> None:
    for n in range(4):
        begin(store, n)

    assert store.overview.page(RunFilter(), limit=4).next == ""


def test_a_page_has_only_ids_after_the_one_given(store: Store) -> None:
    runs = [begin(store, n) for n in range(4)]

    page = store.overview.page(RunFilter(), limit=10, after=runs[1])

    assert ids(page.runs) == [runs[3], runs[2]]


def test_a_page_looks_at_a_bounded_number_of_rows_and_goes_on(store: Store) -> None:
    wanted = begin(store, 0, name="needle")
    for n in range(1, 30):
        begin(store, n)

    page = store.overview.page(RunFilter(text="needle"), limit=5, window=10)

    assert page.runs == []
    assert page.next
    assert all_pages(store, RunFilter(text="needle"), limit=5, window=10) == [wanted]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (RunFilter(flow="weekly"), [4, 1]),
        (RunFilter(states=(S.FAILED,)), [5, 2]),
        (RunFilter(states=(S.FAILED, S.CRASHED)), [5, 3, 2]),
        (RunFilter(states=(S.COMPLETED,)), [4, 1]),
        (RunFilter(states=(S.COMPLETED, S.FAILED)), [5, 4, 2, 1]),
        (RunFilter(tags=("gpu",)), [3, 2, 1]),
        (RunFilter(tags=("gpu", "prod")), [2, 1]),
        (RunFilter(tags=("gp",)), []),
        (RunFilter(parameters=(("rows", "100"),)), [2, 1]),
        (RunFilter(parameters=(("rows", " 100 "),)), [2, 1]),
        (RunFilter(parameters=(("rows", "1"),)), []),
        (RunFilter(parameters=(("model", '"tree"'),)), [3, 1]),
        (RunFilter(parameters=(("model", "tree"),)), [3, 1]),
        (RunFilter(parameters=(("grid", '{"b": [1, 2], "a": null}'),)), [4]),
        (RunFilter(parameters=(("rows", "100"), ("model", "tree"))), [1]),
        (RunFilter(flow="weekly", tags=("gpu",), states=(S.COMPLETED,), parameters=(("rows", "100"),)), [1]),
        (RunFilter(since=T0 + 2, until=T0 + 4), [3, 2]),
        (RunFilter(since=T0 + 2, tags=("gpu",)), [3, 2]),
        (RunFilter(text="UN-3"), [3]),
        (RunFilter(text="week"), [4, 1]),
        (RunFilter(text=an_id(2)), [2]),
        (RunFilter(text="%"), []),
        (RunFilter(text="run", flow="nightly", states=(S.CRASHED,)), [3]),
        (RunFilter(holder="process-z"), [5]),
    ],
)
@pytest.mark.parametrize("roots_only", [True, False])
def test_a_page_has_the_runs_that_fit_every_filter(
    store: Store, which: RunFilter, expected: list[int], roots_only: bool
) -> None:
    filled(store)
    wanted = [an_id(n) for n in expected]

    asked = RunFilter(**{name: getattr(which, name) for name in which.__struct_fields__} | {"roots_only": roots_only})

    assert ids(store.overview.page(asked, limit=10).runs) == wanted
    assert all_pages(store, asked, limit=1) == wanted
    assert all_pages(store, asked, limit=3, window=1) == wanted
    assert ids(store.flow_runs(asked, limit=10)) == wanted


def filled(store: Store) -> None:
    begin(
        store, 1, flow="weekly", tags=("gpu", "prod"), parameters=b'{"rows": 100, "model": "tree"}', state=S.COMPLETED
    )
    begin(store, 2, tags=("gpu", "prod"), parameters=b'{"rows":100}', state=S.FAILED)
    begin(store, 3, tags=("gpu",), parameters=b'{"rows": 7, "model": "tree"}', state=S.CRASHED)
    begin(store, 4, flow="weekly", parameters=b'{"grid": {"a": null, "b": [1,2]}}', state=S.COMPLETED)
    begin(store, 5, parameters=b"{}", state=S.FAILED, holder="process-z")


def test_a_page_has_subflow_runs_when_asked_for(store: Store) -> None:
    root = begin(store, 1)
    below = an_id(2)
    begun = flow_begun(root, id=below, parent=root, tags=("x",), parameters=b'{"a": 1}', flow="child")
    Writer(store, "w").tell(begun)

    assert ids(store.overview.page(RunFilter(), limit=5).runs) == [root]
    assert ids(store.overview.page(RunFilter(roots_only=False), limit=5).runs) == [below, root]
    for which in (RunFilter(tags=("x",)), RunFilter(parameters=(("a", "1"),)), RunFilter(flow="child")):
        everywhere = RunFilter(flow=which.flow, tags=which.tags, parameters=which.parameters, roots_only=False)
        assert store.overview.page(which, limit=5).runs == []
        assert ids(store.overview.page(everywhere, limit=5).runs) == [below]


def recorded_much(store: Store) -> None:
    """A root run and a subflow run that recorded something of everything."""
    root, below = an_id(1), an_id(2)
    value = ResultRef("inline", b"value", "", "pickle", 5, b"signature")
    long: dict[str, Any] = {
        "tags": ("x",),
        "version": "v1",
        "description": "What for.",
        "parameters": b'{"a": 1}',
        "arguments": value,
        "source": b'{"source":"' + b"x" * 50_000 + b'"}',
    }
    writer = Writer(store, "w")
    writer.tell(flow_begun(root, **long), task_begun(root, an_id(3)))
    writer.tell(flow_begun(root, id=below, parent=root, flow="child", call=a_call(root), **long))
    writer.tell(flow_moved(root, S.FAILED, id=below, message="no", detail="Traceback", result=value))
    writer.tell(flow_moved(root, S.FAILED, message="no", detail="Traceback", result=value))


@pytest.mark.parametrize(
    "which",
    [RunFilter(), RunFilter(roots_only=False), RunFilter(tags=("x",)), RunFilter(states=(S.FAILED,), flow="nightly")],
)
def test_a_brief_page_has_the_same_runs_without_what_may_be_long(store: Store, which: RunFilter) -> None:
    recorded_much(store)

    whole = store.overview.page(which, limit=5)
    brief = store.overview.page(which, limit=5, brief=True)

    assert whole.runs
    assert [(run.source, run.parameters, run.detail) for run in brief.runs] == [(b"", b"{}", "")] * len(whole.runs)
    assert (brief.runs, brief.next) == (list(map(brief_run, whole.runs)), whole.next)
    assert all(run.source and run.parameters != b"{}" and run.detail for run in whole.runs)


@pytest.mark.parametrize("wanted", [{"tags": ("x",)}, {"parameters": (("a", "1"),)}])
def test_a_brief_page_finds_subflow_runs_by_what_it_does_not_tell(store: Store, wanted: dict[str, Any]) -> None:
    recorded_much(store)
    begin(store, 5, parameters=b'{"a": 2}')

    found = store.overview.page(RunFilter(roots_only=False, **wanted), limit=5, brief=True).runs

    assert ids(found) == [an_id(2), an_id(1)]
    assert {run.source for run in found} == {b""}


def test_long_values_are_told_apart_to_their_end(store: Store) -> None:
    long = "x" * 5_000
    one = begin(store, 1, tags=(long,), parameters=b'{"text": "' + long.encode() + b'1"}')
    two = begin(store, 2, tags=(long + "y",), parameters=b'{"text": "' + long.encode() + b'2"}')

    assert ids(store.overview.page(RunFilter(tags=(long,)), limit=5).runs) == [one]
    assert ids(store.overview.page(RunFilter(parameters=(("text", f'"{long}2"'),)), limit=5).runs) == [two]


def test_a_run_that_begins_again_with_other_tags_is_found_by_those(store: Store) -> None:
    root = begin(store, 1, tags=("a", "b"), parameters=b'{"x": 1}', state=S.FAILED)
    claim = store.claim(root, holder="process-b", now=T0 + 100)

    again = flow_begun(root, token=claim.token, attempt=2, at=T0 + 101, tags=("b", "c"), parameters=b'{"x": 2}')
    Writer(store, "w").tell(again)

    def found(**which: Any) -> list[str]:
        return ids(store.overview.page(RunFilter(**which), limit=5).runs)

    assert (found(tags=("b",)), found(tags=("c",))) == ([root], [root])
    assert found(tags=("a",)) == []
    assert (found(parameters=(("x", "1"),)), found(parameters=(("x", "2"),))) == ([], [root])


def test_a_deleted_run_is_found_by_nothing(store: Store) -> None:
    root = begin(store, 1, tags=("a",), parameters=b'{"x": 1}', state=S.FAILED)

    store.delete_run(root, now=T0 + 100)

    for which in (RunFilter(), RunFilter(tags=("a",)), RunFilter(parameters=(("x", "1"),)), RunFilter(flow="nightly")):
        assert store.overview.page(which, limit=5).runs == []


# -- flows --


def test_a_flow_is_told_with_its_runs_by_state_and_the_time_they_took(store: Store) -> None:
    begin(store, 1, state=S.COMPLETED, took=2.5)
    begin(store, 2, state=S.COMPLETED, took=1.5)
    begin(store, 3, state=S.FAILED, took=10.0)
    newest = begin(store, 4)

    assert store.overview.flow("nightly") == FlowSummary(
        name="nightly",
        newest=newest,
        newest_at=T0 + 4,
        runs={"COMPLETED": 2, "FAILED": 1, "RUNNING": 1},
        seconds={"COMPLETED": 4.0, "FAILED": 10.0},
    )


def test_flows_come_by_name_in_pages_and_by_text(store: Store) -> None:
    for n, flow in enumerate(("train", "etl", "eval", "train")):
        begin(store, n, flow=flow)
    Writer(store, "w").tell(flow_begun(an_id(0), id=an_id(9), parent=an_id(0), flow="only-below"))

    def names(**given: Any) -> list[str]:
        return [flow.name for flow in store.overview.flows(**({"limit": 10} | given))]

    assert names() == ["etl", "eval", "train"]
    assert names(limit=2) == ["etl", "eval"]
    assert names(after="eval") == ["train"]
    assert names(text="E") == ["etl", "eval"]
    assert names(text="%") == []


def test_a_flow_without_runs_is_none(store: Store) -> None:
    begin(store, 1, flow="gone", state=S.COMPLETED)
    store.delete_run(an_id(1), now=T0 + 60)

    assert store.overview.flow("gone") is None
    assert store.overview.flow("never") is None
    assert store.overview.flows(limit=5) == []


# -- history --


def test_history_counts_runs_by_the_hour_they_were_made(store: Store) -> None:
    begin(store, 1, at=DAY + 10, state=S.COMPLETED, took=2.0)
    begin(store, 2, at=DAY + HOUR - 1, flow="weekly", state=S.FAILED, took=3.0)
    begin(store, 3, at=DAY + HOUR, state=S.COMPLETED, took=4.0)
    begin(store, 4, at=DAY + 26 * HOUR)

    hours = store.overview.history(since=DAY, until=DAY + 48 * HOUR)
    of_flow = store.overview.history(since=DAY, until=DAY + 48 * HOUR, flow="weekly")
    days = store.overview.history(since=DAY, until=DAY + 48 * HOUR, step=24 * HOUR)

    assert [(bucket.start - DAY, bucket.runs, bucket.seconds) for bucket in hours] == [
        (0, {"COMPLETED": 1, "FAILED": 1}, 5.0),
        (HOUR, {"COMPLETED": 1}, 4.0),
        (26 * HOUR, {"RUNNING": 1}, 0.0),
    ]
    assert [(bucket.start - DAY, bucket.runs) for bucket in of_flow] == [(0, {"FAILED": 1})]
    assert [(bucket.start - DAY, bucket.runs, bucket.seconds) for bucket in days] == [
        (0, {"COMPLETED": 2, "FAILED": 1}, 9.0),
        (24 * HOUR, {"RUNNING": 1}, 0.0),
    ]


def test_history_begins_with_the_bucket_that_its_first_moment_lies_in(store: Store) -> None:
    begin(store, 1, at=DAY + 10)
    begin(store, 2, at=DAY + HOUR)
    begin(store, 3, at=DAY + 2 * HOUR)

    found = store.overview.history(since=DAY + 1800, until=DAY + 2 * HOUR)

    assert [bucket.start - DAY for bucket in found] == [0, HOUR]


@pytest.mark.parametrize("at", [0.0, 250_000_000_000.0])
def test_a_time_that_makes_no_sense_is_counted_all_the_same(store: Store, at: float) -> None:
    begin(store, 1, at=at)

    flow = store.overview.flow("nightly")

    assert flow is not None
    assert flow.runs == {"RUNNING": 1}


@pytest.mark.parametrize("batches", [1, 2])
def test_a_run_that_begins_twice_counts_where_it_began_first(store: Store, batches: int) -> None:
    waits = flow_begun(an_id(1), state=S.SCHEDULED)
    begins = flow_begun(an_id(1), flow="renamed", at=T0 + 2 * HOUR)
    writer = Writer(store)

    for records in ([waits, begins],) if batches == 1 else ([waits], [begins]):
        writer.tell(*records)

    (run,) = store.flow_runs(RunFilter(), limit=10)
    assert (run.flow, run.created, run.state_type) == ("nightly", T0, S.RUNNING)
    assert [flow.name for flow in store.overview.flows(limit=10)] == ["nightly"]
    assert counted(store, ["nightly", "renamed"]) == recount(store)


# -- changes --


def test_every_change_below_a_run_is_a_change_of_its_root(store: Store) -> None:
    root = begin(store, 1)
    other = begin(store, 2)
    before = store.last_change()

    Writer(store, "w").tell(task_begun(root, an_id(11)), log_line(root, "hello"))

    changes = store.overview.changes(after=before, limit=10)
    assert [(change.run, change.root, change.deleted) for change in changes] == [(root, root, False)]
    assert other not in {change.run for change in changes}


def test_changes_tell_each_run_once_where_it_changed_last(store: Store) -> None:
    one, two = begin(store, 1), begin(store, 2)
    Writer(store, "w").tell(log_line(one, "later"))

    changes = store.overview.changes(after=0, limit=10)

    assert [change.run for change in changes] == [two, one]
    assert [change.seq for change in changes] == sorted(change.seq for change in changes)
    assert store.overview.changes(after=changes[-1].seq, limit=10) == []


def test_changes_go_on_after_the_last_one_read(store: Store) -> None:
    runs = [begin(store, n) for n in range(5)]

    seen, after = [], 0
    while page := store.overview.changes(after=after, limit=2):
        seen += [change.run for change in page]
        after = page[-1].seq

    assert seen == runs


def test_a_deletion_is_a_change(store: Store) -> None:
    root = begin(store, 1, state=S.FAILED)
    begin(store, 2)
    before = store.last_change()

    store.delete_run(root, now=T0 + 60)

    changes = store.overview.changes(after=before, limit=10)
    assert [(change.run, change.deleted) for change in changes] == [(root, True)]
    assert before < changes[0].seq <= store.last_change()


def test_claims_and_ends_from_outside_are_changes(store: Store) -> None:
    root = begin(store, 1, state=S.FAILED)
    before = store.last_change()
    claim = store.claim(root, holder="process-b", now=T0 + 60)
    between = store.last_change()

    store.end_attempt(root, token=claim.token, state=S.CRASHED, name="", message="gone", now=T0 + 61)

    assert [change.run for change in store.overview.changes(after=before, limit=5)] == [root]
    assert [change.run for change in store.overview.changes(after=between, limit=5)] == [root]


# -- counts after anything --


def recount(store: Store) -> tuple[Counter[Any], Counter[Any]]:
    """Count all root runs by flow and state, and by hour and state; with their microseconds."""
    by_flow: Counter[Any] = Counter()
    by_hour: Counter[Any] = Counter()
    for run in store.flow_runs(RunFilter(), limit=100_000):
        took = int((run.ended - run.started) * 1_000_000) if run.state_type in FINAL and run.started else 0
        hour = int(run.created) // HOUR * HOUR
        for kind, n in (("runs", 1), ("took", took)):
            by_flow[run.flow, str(run.state_type), kind] += n
            for flow in ("", run.flow):
                by_hour[flow, hour, str(run.state_type), kind] += n
    return +by_flow, +by_hour


def counted(store: Store, flows: list[str]) -> tuple[Counter[Any], Counter[Any]]:
    """The same, as the overview tells it; of hours the microseconds of all states together are told."""
    by_flow: Counter[Any] = Counter()
    by_hour: Counter[Any] = Counter()
    for flow in store.overview.flows(limit=1000):
        for state, n in flow.runs.items():
            by_flow[flow.name, state, "runs"] += n
            by_flow[flow.name, state, "took"] += round(flow.seconds.get(state, 0.0) * 1_000_000)
    for name in ["", *flows]:
        for bucket in store.overview.history(since=0, until=T0 * 2, flow=name):
            by_hour[name, bucket.start, "took"] += round(bucket.seconds * 1_000_000)
            for state, n in bucket.runs.items():
                by_hour[name, bucket.start, state, "runs"] += n
    return +by_flow, +by_hour


def without_states(by_hour: Counter[Any]) -> Counter[Any]:
    """Sum the microseconds of all states, as buckets do."""
    found: Counter[Any] = Counter()
    for key, n in by_hour.items():
        found[key if key[3] == "runs" else (key[0], key[1], "took")] += n
    return found


class Program:
    """Random things that happen to runs of a store, told by a seed; all that makes no sense is refused by the store."""

    FLOWS = ("etl", "train", "eval")

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.random = store, random.Random(seed)
        self.writers = [Writer(store, f"writer-{n}") for n in range(3)]
        self.roots: list[str] = []
        self.now = T0

    def step(self) -> None:
        self.now += self.random.choice((0.25, 7.0, 2_000.0))
        kind = self.random.choice(("begin", "begin", "move", "move", "move", "claim", "end", "delete", "bury", "below"))
        if kind == "begin" or not self.roots:
            self._begin()
        else:
            getattr(self, f"_{kind}")(self.random.choice(self.roots))

    def _begin(self) -> None:
        root = uuid7(self.now, self.random.getrandbits(62))
        self.roots.append(root)
        tags = tuple(self.random.sample(("a", "b", "c"), self.random.randrange(3)))
        parameters = b'{"x": %d}' % self.random.randrange(3)
        state = self.random.choice((S.SCHEDULED, S.PENDING, S.RUNNING))
        flow = self.random.choice(self.FLOWS)
        begun = flow_begun(root, at=self.now, flow=flow, state=state, tags=tags, parameters=parameters, holder="h")
        records: list[Any] = [begun]
        if self.random.random() < 0.5:
            records += [flow_moved(root, self._any_state(), at=self.now + self.random.random(), was=state)]
        self.random.choice(self.writers).tell(*records)

    def _any_state(self) -> StateType:
        return self.random.choice(list(StateType))

    def _token(self, root: str) -> int:
        found = self.store.flow_run(root)
        return found.token + self.random.choice((0, 0, 0, -1)) if found is not None else 1

    def _move(self, root: str) -> None:
        moves = [
            flow_moved(
                root,
                self._any_state(),
                at=self.now + n,
                token=self._token(root),
                attempt=self.random.choice((1, 1, 2)),
                released=self.random.random() < 0.1,
            )
            for n in range(self.random.randrange(1, 4))
        ]
        self.random.choice(self.writers).tell(*moves)

    def _below(self, root: str) -> None:
        below = uuid7(self.now, self.random.getrandbits(62))
        self.random.choice(self.writers).tell(
            flow_begun(root, id=below, parent=root, token=self._token(root), flow="etl", at=self.now, tags=("a",)),
            task_begun(root, uuid7(self.now, self.random.getrandbits(62)), token=self._token(root)),
        )

    def _claim(self, root: str) -> None:
        try:
            claim = self.store.claim(root, holder="other", now=self.now)
        except NadiError:
            return
        if self.random.random() < 0.7:
            begun = flow_begun(
                root, token=claim.token, attempt=claim.attempt, at=self.now + 1, flow="other", tags=("c",)
            )
            self.random.choice(self.writers).tell(begun)

    def _end(self, root: str) -> None:
        state = self.random.choice((S.CRASHED, S.CANCELLED))
        ending = Ending(root, self._token(root), state, "ended from outside")
        self.store.end_attempts([ending], now=self.now + 3)

    def _delete(self, root: str) -> None:
        with suppress(NadiError):
            self.store.delete_run(root, now=self.now)

    def _bury(self, root: str) -> None:
        with suppress(StoreUnavailable):  # who reaches a store over HTTP may not
            self.store.retention.bury(self.random.sample(self.roots, min(3, len(self.roots))), now=self.now)

    def fold(self) -> None:
        with suppress(StoreUnavailable):
            self.store.retention.fold_counts(rows=100)


def check_a_random_program(store: Store, seed: int, steps: int) -> None:
    program = Program(store, seed)
    for _ in range(steps):
        program.step()
        if program.random.random() < 0.03:
            program.fold()

    by_flow, by_hour = recount(store)
    told_by_flow, told_by_hour = counted(store, [*Program.FLOWS, "other"])
    assert told_by_flow == by_flow, f"seed {seed}"
    assert told_by_hour == without_states(by_hour), f"seed {seed}"
    runs = store.flow_runs(RunFilter(), limit=100_000)
    for which in (
        RunFilter(tags=("a",)),
        RunFilter(tags=("b", "c")),
        RunFilter(parameters=(("x", "1"),)),
        RunFilter(parameters=(("x", "1"),), tags=("c",), states=(S.FAILED, S.CRASHED)),
    ):
        wanted = [
            run.id
            for run in runs
            if has_terms(run, wanted_terms(which)) and (not which.states or run.state_type in which.states)
        ]
        assert all_pages(store, which, limit=3, window=7) == wanted, f"seed {seed}: {which}"


@pytest.mark.parametrize("seed", range(2))
def test_counts_and_terms_equal_a_recount_after_a_random_program(store: Store, seed: int) -> None:
    check_a_random_program(store, seed, 120)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 130))
def test_counts_and_terms_equal_a_recount_after_a_long_random_program(store: Store, seed: int) -> None:
    check_a_random_program(store, seed, 1_500)
