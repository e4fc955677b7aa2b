from __future__ import annotations

import base64
import os
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import Secret, State, flow, get_run_logger, log_metric, task
from nadi.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from nadi.exceptions import NotResumable
from nadi.states import Failed
from nadi.testing import Records

SRC = str(Path(__file__).parents[2] / "src")
RAW = "s3cr3t/pass word+42"


def everything(records: Records) -> str:
    """All that the store holds, as text."""
    held: list[Any] = [records.store.variables()]
    for run in records.flow_runs():
        held += [run, *records.store.attempts(run.id)]
        if run.is_root:
            held += [
                *records.store.recorded_calls(run.id),
                *records.store.logs(run.id, limit=10_000),
                *records.store.artifacts(root=run.id),
                *records.store.metrics(run.id),
                *records.store.superseded(run.id),
            ]
    for run_of_task in records.task_runs():
        held += records.store.attempts(run_of_task.id)
    return repr(held)


def forms() -> list[str]:
    raw = RAW.encode()
    return [RAW, urllib.parse.quote(RAW), urllib.parse.quote_plus(RAW), raw.hex(), base64.b64encode(raw).decode()]


def assert_hidden(records: Records) -> None:
    told = everything(records)
    assert [form for form in forms() if form in told] == []


class Holder:
    def __init__(self, token: str) -> None:
        self.token = token


def tell(token: Secret[str]) -> None:
    raw = token.get()
    logger = get_run_logger()
    for form in forms():
        logger.info("sent %s to the server", form)
    print("printed", raw, token)
    create_markdown_artifact(f"Token: `{raw}`", description=raw)
    create_table_artifact([{"token": token, raw: base64.b64encode(raw.encode()).decode()}])
    create_link_artifact(f"https://example.com/?t={urllib.parse.quote(raw)}", raw)
    log_metric(f"loss {raw}", 1.0)


def test_a_secret_shows_in_no_record_of_a_run_that_uses_it(records: Records) -> None:
    @task(log_prints=True, task_run_name="with-{token}-{raw}")
    def use(token: Secret[str], raw: str) -> str:
        tell(token)
        return raw

    @task
    def fail(token: Secret[str]) -> None:
        raise ValueError(f"refused {token.get()}")

    @task
    def give_state(token: Secret[str]) -> State[Any]:
        return Failed(message=f"refused {token.get()}")

    @flow
    def inner(token: Secret[str], holder: Any) -> Secret[str]:
        tell(token)
        return token

    @flow(log_prints=True)
    def work(token: Secret[str], again: dict[str, Any]) -> str:
        tell(token)
        use.submit(token, token.get()).result()
        inner(token, Holder(token.get()))
        fail(token, return_state=True)
        give_state(token, return_state=True)
        return f"ended with {token.get()}"

    work(RAW, {"nested": Secret(RAW)})  # type: ignore[call-overload]  # converted

    assert records.logs("sent **** to the server")
    assert_hidden(records)


def test_a_secret_shows_in_no_record_of_a_run_that_fails(records: Records) -> None:
    class Refused(Exception):
        def __init__(self, token: str, code: int) -> None:
            super().__init__(token)
            self.code = code

    @task(retries=1)
    def fail(token: Secret[str]) -> None:
        try:
            raise KeyError(token.get())
        except KeyError as error:
            raise Refused(f"refused {token.get()}", 401) from error

    @flow(flow_run_name="run-{token}")
    def work(token: Secret[str]) -> None:
        fail(token)

    with pytest.raises(Refused):
        work(RAW)  # type: ignore[call-overload]  # converted

    assert "refused ****" in records.task_runs()[0].message
    assert_hidden(records)


@task
def use_in_another_process(token: Secret[str], url: str) -> str:
    get_run_logger().info("token %s at %s", token.get(), url)
    return f"{type(token).__name__} {len(token.get())}"


@task
def tell_url(url: str) -> None:
    get_run_logger().info("told %s", url)
    raise ValueError(f"refused {url}")


def test_a_secret_reaches_a_task_in_another_process_and_shows_in_no_record(records: Records) -> None:
    @flow(executor="process")
    def work(token: Secret[str]) -> str:
        tell_url.submit(f"https://x/{token.get()}").wait()
        return use_in_another_process.submit(token, "https://x").result()

    state = work(RAW, return_state=True)

    assert [run.state_name for run in records.task_runs("use_in_another_process")] == ["Completed"]
    assert [line.text for line in records.logs("told ")] == ["told https://x/****"]
    assert state.is_failed()
    assert_hidden(records)


def test_a_run_that_took_a_secret_asks_for_it_again_on_resume(records: Records) -> None:
    ran: list[int] = []
    got: list[Any] = []

    @task
    def once(n: int) -> int:
        ran.append(n)
        return n

    @flow
    def work(token: Secret[str], n: int) -> int:
        got.append((token.get(), n))
        value = once(n)
        if len(got) == 1:
            raise ValueError("half-way")
        return value

    with pytest.raises(ValueError, match="half-way"):
        work(RAW, 5)  # type: ignore[call-overload]  # converted
    run = records.flow_runs()[0].id

    with pytest.raises(
        NotResumable, match=r"without token.*Give it again: nadi.resume\(run, parameters=\{'token': ...\}\)"
    ):
        nadi.resume(run, flow=work)
    value = nadi.resume(run, flow=work, parameters={"token": RAW})

    assert (value, got, ran) == (5, [(RAW, 5), (RAW, 5)], [5])
    assert_hidden(records)


def test_a_run_whose_parameters_hold_a_secret_inside_takes_them_all_again(records: Records) -> None:
    tries: list[int] = []

    @flow
    def work(config: dict[str, Any], n: int) -> int:
        tries.append(n)
        if len(tries) == 1:
            raise ValueError("half-way")
        return n

    with pytest.raises(ValueError, match="half-way"):
        work({"token": Secret(RAW)}, 5)
    run = records.flow_runs()[0].id

    with pytest.raises(NotResumable, match="It holds a Secret"):
        nadi.resume(run, flow=work)
    assert nadi.resume(run, flow=work, parameters={"config": {"token": Secret(RAW)}, "n": 6}) == 6

    assert_hidden(records)


def test_a_result_that_holds_a_secret_is_not_kept_and_its_task_runs_again(records: Records) -> None:
    ran: list[str] = []
    secret = Secret(RAW)

    @task
    def log_in() -> Secret[str]:
        ran.append("log_in")
        return secret

    @task
    def plain() -> dict[str, str]:
        ran.append("plain")
        return {"token": secret.get()}

    @flow
    def work() -> bool:
        same = log_in() == secret and plain() == {"token": RAW}
        if len(ran) == 2:
            raise ValueError("half-way")
        return same

    with pytest.raises(ValueError, match="half-way"):
        work()

    assert nadi.resume(records.flow_runs()[0].id, flow=work) is True
    assert ran == ["log_in", "plain", "log_in", "plain"]
    assert records.logs("secrets are not stored")
    assert_hidden(records)


SCRIPT = """
import os
from nadi import Secret, flow, get_run_logger, task
from nadi.artifacts import create_markdown_artifact

@task
def use(token: Secret[str], url: str):
    get_run_logger().info("asking %s", url)
    create_markdown_artifact(url)
    return [token, url]

@task
def fail(url: str):
    raise ValueError("refused " + url)

@flow
def work(token: Secret[str]):
    url = "https://x/?t=" + token.get()
    use(token, url)
    fail.submit(url).wait()
    fail.with_options(name="far").submit(url).wait()

if __name__ == "__main__":
    work(os.environ["TOKEN"], return_state=True)
    if os.environ.get("KILL"):
        os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("killed", ["", "yes"])
def test_no_file_of_the_home_holds_a_secret_neither_database_nor_journal(tmp_path: Path, killed: str) -> None:
    script, home = tmp_path / "script.py", tmp_path / "home"
    script.write_text(SCRIPT, encoding="utf-8")
    environ = {**os.environ, "NADI_HOME": str(home), "TOKEN": RAW, "KILL": killed, "PYTHONPATH": SRC}

    done = subprocess.run([sys.executable, str(script)], env=environ, capture_output=True, check=False, cwd=tmp_path)

    files = [path for path in home.rglob("*") if path.is_file()]
    assert done.returncode == (-9 if killed else 0), done.stderr
    assert [path for path in files if b"https://x/?t=****" in path.read_bytes()] != []
    assert [path for path in files if any(form.encode() in path.read_bytes() for form in forms())] == []
    assert RAW.encode() not in done.stdout + done.stderr
