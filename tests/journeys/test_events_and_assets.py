"""Events and assets of a process that is killed: what was told is there afterwards, and nothing is told twice."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.journeys.places import Place

SCRIPT = """
    import os, signal, sys
    from nadi import flow, task
    from nadi.assets import add_asset_metadata, materialize
    from nadi.events import emit_event

    @materialize("s3://lake/clean")
    def clean():
        add_asset_metadata("s3://lake/clean", {"rows": 3})
        return [1, 2, 3]

    @materialize("s3://models/churn")
    def train(rows):
        emit_event("training.began", {"nadi.resource.id": "model.churn"})
        if "survive" not in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        return sum(rows)

    @flow
    def nightly():
        return train(clean())

    if __name__ == "__main__":
        nightly()
"""


def asked(place: Place, *command: str) -> Any:
    return json.loads(place.run("-m", "nadi", *command, "--json").stdout)


def test_what_a_killed_process_told_is_there_and_a_resume_makes_only_what_was_not_made(tmp_path: Path) -> None:
    place = Place(tmp_path)
    killed = place.run(place.script(SCRIPT))

    events, assets = asked(place, "events"), asked(place, "assets")
    resumed = place.resume(survive="1")

    assert killed.returncode == -signal.SIGKILL
    assert [event["event"] for event in events] == ["training.began"]
    assert [asset["key"] for asset in assets] == ["s3://lake/clean"]
    assert resumed.returncode == 0, resumed.stderr
    clean, model = asked(place, "assets", "s3://lake/clean"), asked(place, "assets", "s3://models/churn")
    assert [made["metadata"] for made in clean["materializations"]] == [{"rows": 3}]
    assert [(made["succeeded"], made["upstream"]) for made in model["materializations"]] == [
        (True, ["s3://lake/clean"])
    ]
