"""`nadi resume --from`: a finished task runs again, with what depends on it."""

from __future__ import annotations

from tests.journeys.places import Place

FLOW = """
    import os
    from pathlib import Path

    from nadi import flow, task


    def did(what):
        with open(os.environ["LEDGER"], "a") as file:
            file.write(what + "\\n")


    @task
    def load(name: str) -> list[str]:
        did(f"load-{name}")
        return [name]


    @task
    def clean(rows: list[str]) -> str:
        did(f"clean-{rows[0]}")
        return rows[0].upper()


    @task
    def store(names: list[str]) -> int:
        did("store")
        if not Path("disk").exists():
            raise OSError("no disk")
        return len(names)


    @flow
    def pipeline() -> int:
        return store([clean(load("a")), clean(load("b"))])
"""


def test_a_task_and_what_depends_on_it_run_again_and_the_rest_is_kept(place: Place) -> None:
    place.script(FLOW)
    place.run("-m", "nadi", "run", "pipeline.py", "--name", "brisk-otter", "-q")
    first = place.did()
    (place.folder / "disk").touch()
    place.ledger.unlink()

    told = place.run("-m", "nadi", "resume", "brisk-otter", "--from", "load-2")
    shown = place.run("-m", "nadi", "show", "brisk-otter").stdout

    assert first == ["load-a", "clean-a", "load-b", "clean-b", "store"]
    assert (told.returncode, place.did()) == (0, ["load-b", "clean-b", "store"])
    assert "asked to run again from load-2" in shown


def test_a_task_that_there_is_not_is_told_with_those_there_are(place: Place) -> None:
    place.script(FLOW)
    place.run("-m", "nadi", "run", "pipeline.py", "--name", "brisk-otter", "-q")

    told = place.run("-m", "nadi", "resume", "brisk-otter", "--from", "fit")

    assert told.returncode == 2
    assert told.stderr == (
        "Error: Run brisk-otter has no task 'fit' to run again from. It called load, clean, store.\n"
    )


def test_a_completed_run_is_over(place: Place) -> None:
    place.script(FLOW)
    (place.folder / "disk").touch()
    place.run("-m", "nadi", "run", "pipeline.py", "--name", "brisk-otter", "-q")

    told = place.run("-m", "nadi", "resume", "brisk-otter", "--from", "load")

    assert told.returncode == 2
    assert "finished as Completed" in told.stderr
