"""`nadi events` and `nadi assets`: what happened, and what was made from what."""

from __future__ import annotations

from tests.cli.conftest import Nadi
from tests.storage.telling import S, Writer, an_id, asset_described, asset_made, event_emitted, flow_begun, flow_moved

ROOT, OTHER = an_id(1), an_id(2)
RAW, CLEAN, MODEL = "s3://lake/raw", "s3://lake/clean", "s3://models/churn"


def test_events_are_listed_newest_first_with_what_they_happened_to_and_their_run(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT), event_emitted(ROOT, "e1"), event_emitted(ROOT, "e2", "data.loaded"))

    said = nadi("events")

    head, first, second = said.out.splitlines()
    assert head.split() == ["WHEN", "EVENT", "RESOURCE", "RUN"]
    assert first.split()[-3:] == ["data.loaded", "model.churn", "quiet-river"]
    assert second.split()[-3:] == ["model.promoted", "model.churn", "quiet-river"]


def test_events_are_filtered_by_run_and_name(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT), event_emitted(ROOT, "e1"), event_emitted(ROOT, "e2", "data.loaded"))
    writer.tell(flow_begun(OTHER), event_emitted(OTHER, "e3"))

    by_run = nadi("events", "--run", ROOT, "--event", "model.", "--json")

    assert [event["id"] for event in by_run.json] == ["e1"]


def test_of_many_events_the_newest_are_listed_and_that_there_are_more_is_said(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT), *(event_emitted(ROOT, f"e{n}") for n in range(5)))

    said = nadi("events", "--limit", "2")

    assert len(said.out.splitlines()) == 4
    assert "The newest 2 are listed" in said.out


def test_where_nothing_was_recorded_both_say_how_it_gets_there(nadi: Nadi) -> None:
    assert "emit_event" in nadi("events").out
    assert "@materialize" in nadi("assets").out
    assert nadi("events", "--json").json == nadi("assets", "--json").json == []


def test_an_event_tells_everything_as_json(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT), event_emitted(ROOT, "e1", payload=b'{"by":"ada"}', follows="e0"))

    (event,) = nadi("events", "--json").json

    assert event == {
        "id": "e1",
        "event": "model.promoted",
        "occurred": "2027-01-15T08:00:06Z",
        "resource": {"nadi.resource.id": "model.churn"},
        "related": [],
        "payload": {"by": "ada"},
        "follows": "e0",
        "root": ROOT,
        "run": ROOT,
        "task": None,
    }


def test_assets_are_listed_with_when_they_were_made_and_from_what(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT), asset_made(ROOT, an_id(20), CLEAN, RAW))
    writer.tell(asset_made(ROOT, an_id(21), MODEL, CLEAN, succeeded=False, message="no rows"))

    said = nadi("assets")

    rows = [line.split() for line in said.out.splitlines()[1:]]
    assert [(row[0], row[1], row[-2:]) for row in rows] == [
        ("failed", MODEL, ["quiet-river", CLEAN]),
        ("made", CLEAN, ["quiet-river", RAW]),
        ("read", RAW, [RAW, "never"]),
    ]


def test_one_asset_is_shown_with_its_lineage_and_what_its_task_told(nadi: Nadi, writer: Writer) -> None:
    writer.tell(
        flow_begun(ROOT),
        asset_described(ROOT, CLEAN, b'{"rows":7,"by":"ada"}'),
        asset_made(ROOT, an_id(20), CLEAN, RAW, tool="polars"),
        asset_made(ROOT, an_id(21), MODEL, CLEAN),
    )

    text, told = nadi("assets", CLEAN).out, nadi("assets", CLEAN, "--json").json

    assert f"Made from:\n  {RAW} -> {CLEAN}\n" in text
    assert f"Used for:\n  {CLEAN} -> {MODEL}\n" in text
    assert "polars" in text
    assert "rows=7, by=ada" in text
    assert told["asset"]["key"] == CLEAN
    assert told["upstream"] == [{"upstream": RAW, "downstream": CLEAN}]
    assert told["materializations"][0]["metadata"] == {"rows": 7, "by": "ada"}


def test_an_asset_of_a_deleted_run_names_the_run_by_its_id(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT), asset_made(ROOT, an_id(20), CLEAN), flow_moved(ROOT, S.COMPLETED))
    writer.store.delete_run(ROOT, now=0.0)

    assert ROOT in nadi("assets", CLEAN).out


def test_an_asset_that_is_not_there_is_a_wrong_call(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(ROOT))

    said = nadi("assets", CLEAN)

    assert said.status == 2
    assert said.err.startswith(f"Error: No task has made or read an asset '{CLEAN}'.")
