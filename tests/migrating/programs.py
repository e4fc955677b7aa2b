"""Programs as people have them, for each generation of Prefect, and short ways to rewrite them."""

from __future__ import annotations

import textwrap

from nadi.migrating.rewriting import Rewritten, rewrite

DECLARED = '''\
"""Nightly load of the shop's orders (Prefect 1)."""
import datetime

import prefect
from prefect import task, Flow, Parameter, case, unmapped
from prefect.engine.signals import SKIP  # nothing to do
from prefect.executors import LocalDaskExecutor
from prefect.tasks.control_flow import merge
from prefect.triggers import all_finished


@task(max_retries=2, retry_delay=datetime.timedelta(seconds=0))
def extract(day):
    logger = prefect.context.get("logger")
    logger.info("extracting %s", day)
    if day == "sunday":
        raise SKIP("closed on sundays")
    return [1, 2, 3]


@task
def double(row, times):
    return row * times   # odd   spacing stays


@task
def is_large(rows):
    return sum(rows) > 10


@task
def archive(rows):
    return "archived"


@task
def keep(rows):
    return "kept"


@task(trigger=all_finished)
def tidy_up():
    prefect.context.get("logger").info("tidied up")
    return "tidy"


with Flow("orders", executor=LocalDaskExecutor(scheduler="threads", num_workers=2)) as flow:
    day = Parameter("day", default="monday")
    rows = extract(day)
    doubled = double.map(rows, times=unmapped(2))
    with case(is_large(doubled), True):
        large = archive(doubled)
    with case(is_large(doubled), False):
        small = keep(doubled)
    what = merge(large, small)
    tidy = tidy_up(upstream_tasks=[what])

if __name__ == "__main__":
    state = flow.run(parameters={"day": "monday"})
    assert state.is_successful(), state
    print(state.result[what].result, state.result[tidy].result)
'''

SECOND = '''\
"""Nightly load of the shop's orders (Prefect 2)."""
import asyncio
from typing import List

from prefect import flow, get_run_logger, task, unmapped
from prefect.futures import PrefectFuture
from prefect.orion.schemas.states import Completed, Failed
from prefect.task_runners import ConcurrentTaskRunner, SequentialTaskRunner


@task(retries=2, retry_delay_seconds=0)
async def fetch(page: int) -> List[int]:
    get_run_logger().info("page %s", page)
    await asyncio.sleep(0)
    return [page, page + 1]


@task
def double(row: int, times: int) -> int:
    return row * times


@flow(task_runner=ConcurrentTaskRunner())
async def orders(pages: int = 2) -> int:
    futures: List[PrefectFuture] = [await fetch.submit(page) for page in range(pages)]
    first = await fetch.submit(7)
    rows = await first.result()
    for future in futures:
        rows += await future.result()
    return sum(rows)


@flow(task_runner=SequentialTaskRunner)
def doubled(rows: List[int]):
    total = sum(future.result() for future in double.map(rows, times=unmapped(2)))
    once = double.submit(total, 1).wait().result()
    return Completed(message="done", data=once) if once else Failed(message="nothing")


if __name__ == "__main__":
    state = doubled([1, 2, 3], return_state=True)
    print(asyncio.run(orders()), state.result(fetch=True))
'''

THIRD = '''\
"""Nightly load of the shop's orders (Prefect 3)."""

import prefect as pf
from prefect import flow, tags, task
from prefect.assets import materialize
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.states import Completed
from prefect.testing.utilities import prefect_test_harness
from prefect.utilities.annotations import quote


@task(retries=1, tags={"io"}, task_run_name="load {name}")
def load(name: str) -> list[int]:
    get_run_logger().info("loading %s", name)
    return [1, 2, 3]


@materialize("s3://shop/orders.parquet", by="polars")
def store(rows: list[int]) -> int:
    emit_event("orders.stored", {"prefect.resource.id": "shop.orders"}, payload={"rows": len(rows)})
    return len(rows)


@pf.task
def check(rows):
    # how many there are
    return len(rows)


@pf.flow(name="orders", task_runner=pf.task_runners.ThreadPoolTaskRunner(max_workers=2))
def orders(names: list[str]):
    with tags("etl"):
        loaded = load.map(names)
    count = store(loaded[0])
    checked = check.submit(quote([1, 2]))
    return Completed(message=f"{count} {checked.result()}", data=count)


def test_orders():
    with prefect_test_harness():
        assert orders(["a", "b"], return_state=True).is_completed()


if __name__ == "__main__":
    test_orders()
    print(orders(["a"]), pf.runtime.flow_run.id)
'''


def rewritten(code: str) -> Rewritten:
    return rewrite(textwrap.dedent(code).encode())


def becomes(code: str) -> str:
    """What a piece of code becomes, when nothing of it is left."""
    made = rewritten(code)
    assert made.notes == []
    return made.code.decode()
