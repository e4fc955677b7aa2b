"""Workers where other machines reach the store: over PostgreSQL, and over a server."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg

from nadi.model.holders import Holder
from nadi.model.states import StateType
from nadi.services.reaper import Reaper
from nadi.storage.home import Home, process_start
from tests.journeys.far_servers import ServerProcess
from tests.postgres import server
from tests.workers.test_worker import TWO_STEPS
from tests.workers.workshop import Workshop, until

#: Somebody on another machine, who cannot look up any process of this one.
ELSEWHERE = Holder(writer="elsewhere", host="elsewhere", pid=1, started=1, boot="another boot", namespace="pid:[1]")


def test_a_worker_on_postgresql_renews_the_leases_of_its_runs(tmp_path: Path) -> None:
    with Workshop(tmp_path, server().fresh(owner=tmp_path), NADI_LEASE_TERM="2") as shop:
        shop.script(TWO_STEPS)
        shop.deploy("two_steps")
        shop.worker("--no-services")
        run = shop.ask("two_steps")
        shop.until_there("between")

        def renewals() -> dict[str, int]:
            return {lease.holder: lease.renewals for lease in shop.store.leases.leases()}

        until(lambda: renewals().get(shop.run(run).holder, 0) > 4)
        [seen] = shop.store.work.workers()
        terms = {lease.term for lease in shop.store.leases.leases()}
        kept = set(renewals())
        shop.allow("go")
        shop.end(run)

        assert kept == {seen.holder, shop.run(run).holder}
        assert terms == {2.0}


def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_when_it_wakes(tmp_path: Path) -> None:
    with Workshop(tmp_path, server().fresh(owner=tmp_path), NADI_LEASE_TERM="2") as shop:
        shop.script(TWO_STEPS)
        shop.deploy("two_steps")
        frozen = shop.worker("--no-services", "--grace", "1")
        run = shop.ask("two_steps")
        shop.until_there("between")
        until(lambda: {one.state_type for one in shop.store.task_runs(run)} == {StateType.COMPLETED})
        pid = shop.pid(run)
        until(lambda: freeze_between_transactions([frozen.pid, pid], shop.url))

        # As another machine would see it: it looks until the lease was silent for its term.
        reaper = Reaper(shop.store, Home(tmp_path / "elsewhere"), ELSEWHERE, term=2.0)
        until(lambda: reaper.step(time.monotonic()) and shop.run(run).state_name == "AwaitingResume")
        other = shop.worker("--no-services", NADI_HOME=str(tmp_path / "other"), NADI_RESULTS_URL=results_of(shop))
        until(lambda: shop.run(run).state_name == "Running" and shop.pid(run) != pid)
        os.kill(frozen.pid, signal.SIGCONT)
        os.kill(pid, signal.SIGCONT)
        until(lambda: process_start(pid) == 0)
        shop.allow("go")
        ended = shop.end(run)

        assert ended.state_name == "Completed"
        assert shop.done() == ["first", "second"]
        assert [one.state_type for one in shop.store.attempts(run)] == [StateType.CRASHED, StateType.COMPLETED]
        other.terminate()
        other.wait(20)


def test_a_worker_over_a_server_carries_on_while_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    far = ServerProcess(tmp_path / "far")
    far.start()
    try:
        with Workshop(tmp_path / "shop", f"sqlite:///{far.place.home}/nadi.db") as shop:
            shop.script(TWO_STEPS)
            shop.deploy("two_steps")
            shop.worker(NADI_DATABASE_URL="", NADI_API_URL=far.url, NADI_API_KEY=far.key, NADI_RESULTS_URL="")
            run = shop.ask("two_steps")
            shop.until_there("between")

            far.kill()
            shop.allow("go")
            shop.until_done("second")
            far.start()
            ended = shop.end(run)
            other = shop.end(shop.ask("two_steps"))

            assert (ended.state_name, ended.attempt) == ("Completed", 1)
            assert other.state_name == "Completed"
    finally:
        far.kill()
        far.place.__exit__()


def freeze_between_transactions(pids: list[int], url: str) -> bool:
    """Stop processes; `False` where one was in a transaction, which the database ends only after 15 seconds."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    with psycopg.connect(url, autocommit=True) as connection:
        open_ones = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        ).fetchall()
    for pid in pids if open_ones else ():
        os.kill(pid, signal.SIGCONT)
    return not open_ones


def results_of(shop: Workshop) -> str:
    return f"file://{shop.home.results}"
