"""Assets: what tasks make out in the world, recorded with when, by which run, and from what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from nadi.engine.assets import Asset, add_asset_metadata
from nadi.exceptions import DefinitionError
from nadi.model.assets import AssetProperties
from nadi.tasks import Task

P = ParamSpec("P")
R = TypeVar("R")


class MaterializingTask(Task[P, R]):
    """A task that makes assets: each time that it ends, one record for each asset says so."""

    def __init__(
        self,
        fn: Callable[P, R],
        *,
        assets: Sequence[str | Asset] = (),
        materialized_by: str | None = None,
        **keywords: Any,
    ) -> None:
        """Describe the task; besides `assets` and `materialized_by` it takes every keyword of `@task`."""
        if not assets:
            raise DefinitionError("@materialize names no asset. Name at least one: @materialize('s3://bucket/key').")
        self._makes = {"assets": assets, "materialized_by": materialized_by}
        super().__init__(fn, **keywords)

    def _define(self, fn: Callable[..., Any] | None, given: dict[str, Any]) -> None:
        super()._define(fn, {**self._makes, **given})

    @property
    def assets(self) -> list[Asset]:
        """What it makes."""
        return [one if isinstance(one, Asset) else Asset(one) for one in self._given["assets"]]


def materialize(
    *assets: str | Asset, by: str | None = None, **keywords: Any
) -> Callable[[Callable[P, R]], MaterializingTask[P, R]]:
    """Mark a function as a task that makes these assets, named by their addresses.

    When a run of it ends, a materialisation of each asset is recorded: succeeded or failed, when, by which run, and
    from which assets: those in `asset_deps`, and those that the tasks made whose results it takes, also by way of
    plain tasks. What a resumed run or a cache reuses is not recorded again.

    Args:
        assets: Keys such as `"s3://bucket/table"`, or `Asset`s.
        by: What they are made with, such as `"spark"`.
        keywords: Every keyword of `@task`.

    Raises:
        DefinitionError: no asset is named, or a key is no address.
    """

    def mark(fn: Callable[P, R]) -> MaterializingTask[P, R]:
        return MaterializingTask(fn, assets=assets, materialized_by=by, **keywords)

    return mark


__all__ = ["Asset", "AssetProperties", "MaterializingTask", "add_asset_metadata", "materialize"]
