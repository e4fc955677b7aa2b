"""What differs by more than its name: executors, loggers, futures, deployments."""

from __future__ import annotations

import pytest

from tests.migrating.programs import becomes, rewritten


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("LocalExecutor()", "SequentialExecutor()", "SequentialExecutor"),
        ("LocalDaskExecutor()", "ThreadExecutor()", "ThreadExecutor"),
        ('LocalDaskExecutor(scheduler="threads", num_workers=8)', "ThreadExecutor(8)", "ThreadExecutor"),
        ('LocalDaskExecutor(scheduler="processes", num_workers=n())', "ProcessExecutor(n())", "ProcessExecutor"),
        ('LocalDaskExecutor("sync")', 'LocalDaskExecutor("sync")', "LocalDaskExecutor"),
        ("LocalDaskExecutor(num_workers=4, pool=p)", "LocalDaskExecutor(num_workers=4, pool=p)", "LocalDaskExecutor"),
        ('LocalDaskExecutor(scheduler="sync")', "SequentialExecutor()", "SequentialExecutor"),
    ],
)
def test_executors_of_prefect_1_become_the_ones_that_do_the_same(old: str, new: str, kind: str) -> None:
    name = old.partition("(")[0]

    made = rewritten(f"from prefect.executors import {name}\nflow.run(executor={old})\n").code.decode()

    assert made == f"from nadi.executors import {kind}\nflow.run(executor={new})\n"


def test_dask_is_said_to_be_not_here_yet() -> None:
    made = rewritten("import prefect\nflow.run(executor=prefect.executors.DaskExecutor())\n")

    assert made.code == b"import prefect\nflow.run(executor=prefect.executors.DaskExecutor())\n"
    assert "Dask is not here yet" in made.notes[0].message


@pytest.mark.parametrize("logger", ['context.get("logger")', "context['logger']"])
def test_the_logger_of_the_context_becomes_the_logger_of_the_run(logger: str) -> None:
    by_package = becomes(f"import prefect\ndef f():\n    prefect.{logger}.info('x')\n")
    by_name = becomes(f"from prefect import context, task\ndef f():\n    {logger}.info('x')\n")

    assert by_package == "import nadi\ndef f():\n    nadi.get_run_logger().info('x')\n"
    assert by_name == "from nadi import task, get_run_logger\ndef f():\n    get_run_logger().info('x')\n"


def test_a_logger_that_is_asked_for_at_module_level_is_listed() -> None:
    made = rewritten('import prefect\nlogger = prefect.context.get("logger")\n')

    assert [(note.line, "inside of a task or flow" in note.message) for note in made.notes] == [(2, True)]


def test_futures_of_async_flows_are_no_longer_awaited_to_be_made() -> None:
    code = """\
    from prefect import flow, task
    @task
    async def load(n): ...
    @flow
    async def f():
        one = await load.submit(1)
        many = await load.map([1, 2])
        both = [await load.with_options(retries=1).submit(n) for n in (1, 2)]
        await one.wait()
        a = await one.result()
        b = (await load.submit(3)).state
        c = [await future.result() for future in both]
        d = await one.result(raise_on_failure=False)
        for future in many:
            await future.result()
        other = client.submit(1)
    async def g():
        return await client.submit(1)
    """

    made = becomes(code)

    assert made.partition("async def f():\n")[2].splitlines() == [
        "    one = load.submit(1)",
        "    many = load.map([1, 2])",
        "    both = [load.with_options(retries=1).submit(n) for n in (1, 2)]",
        "    one.wait()",
        "    a = await one",
        "    b = (load.submit(3)).state",
        "    c = [await future for future in both]",
        "    d = one.result(raise_on_failure=False)",
        "    for future in many:",
        "        await future",
        "    other = client.submit(1)",
        "async def g():",
        "    return await client.submit(1)",
    ]


def test_what_a_flow_awaits_to_be_submitted_and_may_be_a_task_of_another_file_is_listed() -> None:
    made = rewritten("""\
    from prefect import flow
    from tasks import load
    @flow
    async def f():
        future = await load.submit(1)
        return await future.result()
    """)

    assert [(note.line, "take `await` away" in note.message) for note in made.notes] == [(5, True)]


def test_futures_kept_under_several_names_or_gathered_are_awaited_themselves() -> None:
    code = """\
    import asyncio
    from prefect import flow, task
    @task
    async def load(n): ...
    @flow
    async def f():
        a, b = await load.submit(1), await load.submit(2)
        c, d = await load.map([3, 4])
        await b.wait()
        e = await asyncio.gather(a.result(), d.result(), *[one.result() for one in await load.map([5])])
        return await c.result()
    """

    assert becomes(code).partition("async def f():\n")[2].splitlines() == [
        "    a, b = load.submit(1), load.submit(2)",
        "    c, d = load.map([3, 4])",
        "    b.wait()",
        "    e = await asyncio.gather(a, d, *[one for one in load.map([5])])",
        "    return await c",
    ]


def test_the_result_of_a_state_is_not_awaited_where_it_was_to_be_fetched() -> None:
    code = """\
    import prefect
    async def f(state, other):
        a = await state.result(fetch=True)
        b = [(await one.result(raise_on_failure=False, fetch=True)).x for one in state]
        return await other.result()
    """

    assert becomes(code).partition("other):\n")[2].splitlines() == [
        "    a = state.result()",
        "    b = [(one.result(raise_on_failure=False)).x for one in state]",
        "    return await other.result()",
    ]


def test_results_by_way_of_wait_and_fetch_are_asked_for_directly() -> None:
    code = """\
    from prefect import flow, task
    @task
    def load(n): ...
    @flow
    def f():
        future = load.submit(1)
        a = future.wait().result(raise_on_failure=False)
        b = load.submit(2).wait().result()
        c = f(return_state=True).result(fetch=True)
        d = f(return_state=True).result(raise_on_failure=False, fetch=True)
    """

    assert becomes(code).partition("load.submit(1)\n")[2].splitlines() == [
        "    a = future.result(raise_on_failure=False)",
        "    b = load.submit(2).result()",
        "    c = f(return_state=True).result()",
        "    d = f(return_state=True).result(raise_on_failure=False)",
    ]


def test_a_state_taken_from_wait_is_listed() -> None:
    made = rewritten("""\
    from prefect import flow, task
    @task
    def load(n): ...
    @flow
    def f():
        future = load.submit(1)
        future.wait()
        state = future.wait()
    """)

    assert [note.line for note in made.notes] == [8]
    assert "take `.state`" in made.notes[0].message


def test_deployments_and_infrastructure_are_listed_with_what_serves_instead() -> None:
    made = rewritten("""\
    from prefect import flow, Flow
    from prefect.run_configs import KubernetesRun
    @flow
    def nightly(): ...
    with Flow("old", run_config=KubernetesRun(), storage=None) as old:
        pass
    old.register(project_name="shop")
    old.run_config = None
    nightly.serve("x")
    nightly.deploy("x", work_pool_name="y")
    flow.from_source("x", entrypoint="y")
    registry.register("not a flow")
    """)

    assert [note.line for note in made.notes] == [2, 5, 5, 7, 8]


def test_rewritten_calls_keep_what_is_rewritten_inside_of_them() -> None:
    code = """\
    from prefect import task, unmapped
    from prefect.futures import PrefectFuture
    import prefect
    @task
    async def load(n, of): ...
    async def f():
        return await load.submit(prefect.unmapped(PrefectFuture), of=prefect.context.get("logger"))
    """

    assert "return load.submit(nadi.unmapped(NadiFuture), of=nadi.get_run_logger())\n" in becomes(code)
