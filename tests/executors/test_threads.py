"""The thread executor beside interruptions of its threads."""

from __future__ import annotations

import threading

import pytest

from nadi import flow, task
from nadi.executors import ThreadExecutor
from nadi.storage.shield import shielded
from tests.conftest import Recorded


def test_no_thread_is_interrupted_while_it_starts_another_one(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, unshielded = threading.Thread.start, list[str]()

    def watched(thread: threading.Thread) -> None:
        if thread.name.startswith("nadi-task") and threading.get_ident() not in shielded:
            unshielded.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", watched)

    @task
    def inner() -> int:
        return 1

    @task
    def outer() -> int:
        return inner.submit().result()  # lends its place

    @flow(executor=ThreadExecutor(max_workers=1))
    def nested() -> int:
        return outer.submit().result()

    assert nested() == 1
    assert unshielded == []
