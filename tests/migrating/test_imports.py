"""Imports of Prefect's: what becomes of each form, and of the names that are used by way of it."""

from __future__ import annotations

import pytest

from nadi.migrating.names import find
from tests.migrating.programs import DECLARED, SECOND, THIRD, becomes, rewritten


def test_a_from_import_keeps_its_layout_and_comments() -> None:
    code = """\
    from prefect import (  # what we use
        flow,
        task,  # the small ones
    )  # and no more
    """

    assert becomes(code) == (
        "from nadi import (  # what we use\n    flow,\n    task,  # the small ones\n)  # and no more\n"
    )


def test_names_that_lie_elsewhere_are_imported_from_there() -> None:
    code = """\
    from prefect.engine.signals import SKIP, RETRY as again
    from prefect.orion.schemas.states import Completed
    from prefect.utilities.annotations import unmapped
    from prefect.engine import signals, state
    """

    assert becomes(code) == (
        "from nadi.signals import SKIP, RETRY as again\n"
        "from nadi.states import Completed\n"
        "from nadi import unmapped\n"
        "from nadi import signals\n"
        "from nadi.declarative import states as state\n"
    )


def test_names_that_are_called_otherwise_are_renamed_where_they_are_used() -> None:
    code = """\
    from prefect.futures import PrefectFuture, wait
    from prefect.testing.utilities import prefect_test_harness as harness
    def both(one: PrefectFuture, other: "PrefectFuture") -> None:
        wait([one, other])
        with harness():
            pass
    """

    made = becomes(code)

    assert "from nadi.futures import NadiFuture, wait\n" in made
    assert "from nadi.testing import nadi_test_harness as harness\n" in made
    assert 'def both(one: NadiFuture, other: "NadiFuture") -> None:' in made
    assert "with harness():" in made


def test_names_that_are_not_here_keep_their_import_with_their_comments_and_are_listed() -> None:
    made = rewritten("""\
    from prefect import (
        flow,
        get_client,  # asks
        aserve,  # starts
        task,
    )
    """)

    assert made.code.decode() == (
        "from nadi import (\n    flow,\n    task,\n)\n"
        "from prefect import (\n    get_client,  # asks\n    aserve,  # starts\n)\n"
    )
    assert [(note.line, note.message.partition(":")[0]) for note in made.notes] == [
        (3, "prefect.get_client"),
        (4, "prefect.aserve"),
    ]


def test_a_comment_above_and_one_behind_stay_when_an_import_is_split() -> None:
    made = rewritten("x = 1\n# above\nfrom prefect import flow, get_client  # behind\ny = 2\n")

    assert made.code.decode() == (
        "x = 1\n# above\nfrom nadi import flow\nfrom prefect import get_client  # behind\ny = 2\n"
    )


def test_names_by_way_of_the_package_follow_it() -> None:
    code = """\
    import prefect
    @prefect.task(retries=1)
    def load():
        prefect.get_run_logger().info(prefect.runtime.task_run.id)
        raise prefect.engine.signals.SKIP("later")
    """

    assert becomes(code) == (
        "import nadi\nimport nadi.runtime\nimport nadi.signals\n"
        "@nadi.task(retries=1)\n"
        "def load():\n"
        "    nadi.get_run_logger().info(nadi.runtime.task_run.id)\n"
        '    raise nadi.signals.SKIP("later")\n'
    )


def test_an_alias_of_the_package_stays() -> None:
    code = "import os, prefect as pf\n@pf.flow\ndef f():\n    return pf.states.Completed()\n"

    assert becomes(code) == (
        "import os, nadi as pf, nadi.states\n@pf.flow\ndef f():\n    return pf.states.Completed()\n"
    )


def test_what_is_not_here_keeps_the_package_beside_ours() -> None:
    made = rewritten("""\
    import prefect as pf
    @pf.task
    def load():
        return pf.get_client()
    """)

    assert made.code.decode() == (
        "import prefect as pf\nimport nadi\n@nadi.task\ndef load():\n    return pf.get_client()\n"
    )
    assert [note.line for note in made.notes] == [4]


def test_modules_are_imported_as_modules() -> None:
    code = """\
    import prefect.states
    import prefect.engine.signals as signals
    done = prefect.states.Completed()
    stop = signals.FAIL
    """

    assert becomes(code) == (
        "import nadi.states\nimport nadi.signals as signals\ndone = nadi.states.Completed()\nstop = signals.FAIL\n"
    )


def test_a_module_that_lacks_a_used_name_stays() -> None:
    made = rewritten("from prefect import states\na = states.Completed\nb = states.exception_to_crashed_state\n")

    assert made.code.decode().startswith("from prefect import states\n")
    assert [note.line for note in made.notes] == [3]


def test_annotations_in_quotes_follow_too() -> None:
    made = rewritten("""\
    import prefect
    from prefect.futures import PrefectFuture
    def f(a: "prefect.Task", b: "list[PrefectFuture]") -> "prefect.client.Client": ...
    """)

    assert 'def f(a: "nadi.Task", b: "list[NadiFuture]") -> "prefect.client.Client": ...' in made.code.decode()
    assert [note.message.partition(",")[0] for note in made.notes] == ["prefect.client.Client"]


def test_imports_inside_of_functions_and_conditions_are_rewritten_too() -> None:
    code = """\
    from typing import TYPE_CHECKING
    if TYPE_CHECKING: from prefect import Flow
    def late():
        from prefect import task; from prefect.states import Failed
        return task, Failed
    """

    made = becomes(code)

    assert "if TYPE_CHECKING: from nadi import Flow\n" in made
    assert "    from nadi import task; from nadi.states import Failed\n" in made


def test_a_star_is_listed_and_left() -> None:
    made = rewritten("from prefect import *\n")

    assert made.code == b"from prefect import *\n"
    assert "import the names that are used" in made.notes[0].message


def test_packages_beside_prefect_are_listed_and_left() -> None:
    made = rewritten("from prefect_dask import DaskTaskRunner\nimport prefect_aws\n")

    assert made.code == b"from prefect_dask import DaskTaskRunner\nimport prefect_aws\n"
    assert "Dask is not here yet" in made.notes[0].message
    assert "needs Prefect" in made.notes[1].message


def test_what_only_looks_like_prefect_is_left_alone() -> None:
    code = "import perfect\nprefect = 1\ntext = 'from prefect import flow'  # prefect.flow\nprint(prefect, text)\n"

    made = rewritten(code)

    assert (made.code.decode(), made.notes) == (code, [])


def test_the_engines_inside_is_never_offered() -> None:
    assert find("prefect.engine.run_flow") is None
    assert find("prefect.server.api") is None
    assert find("prefect.storage.S3") is None
    assert find("prefect.cli") is None


@pytest.mark.parametrize("program", [DECLARED, SECOND, THIRD], ids=["first", "second", "third"])
def test_rewriting_twice_changes_nothing_more(program: str) -> None:
    once = rewritten(program).code

    assert b"prefect." not in once.replace(b"prefect.resource.id", b"")
    assert rewritten(once.decode()).code == once


def test_what_is_no_python_is_refused() -> None:
    with pytest.raises(SyntaxError, match="line 1"):
        rewritten("from prefect import (\n")


def test_encoding_and_line_ends_stay() -> None:
    code = '# -*- coding: latin-1 -*-\r\nfrom prefect import flow\r\nname = "größe"\r\n'.encode("latin-1")

    from nadi.migrating.rewriting import rewrite

    assert rewrite(code).code == code.replace(b"prefect", b"nadi")
