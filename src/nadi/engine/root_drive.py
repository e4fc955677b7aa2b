"""Driving a root run of this process to its end, whatever the style of its flow."""

from __future__ import annotations

from nadi.engine.flow_aio import drive_flow_async
from nadi.engine.flow_drive import drive_flow
from nadi.engine.flow_runs import FlowRun
from nadi.engine.roots import in_root, in_root_async


def drive_root(run: FlowRun) -> None:
    """Run a root run that is not begun yet; how it ended stands in its state, and is raised only where it has none."""
    try:
        if run.spec.is_async:
            import asyncio  # 25 ms, needed only by flows that are coroutines

            asyncio.run(_drive_async(run))
        else:
            with in_root(run):
                drive_flow(run)
    except BaseException:
        # How the run ended stands in its state, and is told from there: also Ctrl-C, SIGTERM and sys.exit().
        if run.state is None:
            raise


async def _drive_async(run: FlowRun) -> None:
    async with in_root_async(run):
        await drive_flow_async(run)
