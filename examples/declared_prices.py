"""A declared flow with a parameter, a map with retries, a branch, and a clean-up that always runs; drawn at its end."""

from __future__ import annotations

import datetime
import random
from typing import Any

from nadi import FilterTask, Flow, Parameter, case, merge, task, unmapped
from nadi.triggers import all_finished

SHOPS = {"north": [3.0, 4.5, 3.5], "east": [2.0, 2.5], "south": [], "west": [5.0, 4.0, 4.5, 6.0]}


@task
def shops(first: Any) -> list[str]:
    return sorted(SHOPS)[:first]


@task(max_retries=3, retry_delay=datetime.timedelta(0))
def fetch(shop: str, chance: float) -> list[float]:
    if random.random() < chance:
        raise ConnectionError(f"{shop} does not answer")
    return SHOPS[shop]


@task
def mean(prices: list[float]) -> float:
    return sum(prices) / len(prices)


@task
def spread(means: list[float]) -> float:
    return max(means) - min(means)


@task
def say(what: str, value: Any) -> str:
    return f"{what}: {value:.2f}"


@task(trigger=all_finished)
def close() -> None:
    print("closed")


@task
def show(told: str) -> None:
    print(told)


with Flow("prices") as flow:
    first = Parameter("first", default=4)
    fetched = fetch.map(shops(first), chance=unmapped(0.2))
    means = FilterTask()(mean.map(fetched))
    apart = spread(means)
    with case(apart > 1, True):
        wide = say("prices lie apart by", apart)
    with case(apart > 1, False):
        close_by = say("prices are alike within", apart)
    told = merge(wide, close_by)
    close(upstream_tasks=[means])
    shown = show(told)
    flow.set_reference_tasks([shown])

if __name__ == "__main__":
    state = flow.run(first=4)
    print(flow.visualize(state, format="text"))
