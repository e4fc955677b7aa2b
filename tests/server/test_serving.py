"""`nadi server` as a process: how it starts, refuses to start, and ends."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from nadi.cli.main import main
from nadi.storage.home import Home
from nadi.storage.install_token import read_install_token
from tests.server.serving import PATIENCE, Client

#: Gives the exit status and the sentence of a server that does not start, in this process.
Refused = Callable[..., tuple[int, str]]


class Process:
    """A server in a process of its own."""

    def __init__(self, home: Path, *options: str, port: int = 0) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nadi", "server", "--port", str(port), "--json", *options],
            env={**os.environ, "NADI_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.ready = json.loads(line)

    @property
    def client(self) -> Client:
        return Client(self.ready["port"], token=read_install_token(Home(self.home)))

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, and return the exit status and what it said on standard error."""
        self.process.send_signal(number)
        _, told = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, told


@contextmanager
def server_process(home: Path, *options: str) -> Iterator[Process]:
    started = Process(home, *options)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    def refuse(home: Path, *options: str) -> tuple[int, str]:
        monkeypatch.setenv("NADI_HOME", str(home))
        status = main(["server", "--port", "0", *options])
        told = capsys.readouterr()
        assert told.out == ""
        return status, told.err

    return refuse


def test_it_tells_where_it_is_and_opens_the_door_with_its_login_link(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        link = server.ready["login"].removeprefix(server.ready["url"])
        anonymous = Client(server.ready["port"])

        came_in = anonymous.get(link)
        session = {"Cookie": came_in.headers["set-cookie"].partition(";")[0]}
        seen = anonymous.get("/api/server", headers=session)
        once_more = anonymous.get(link)

    assert (came_in.status, came_in.headers["location"]) == (303, "/")
    assert (seen.status, once_more.status) == (200, 401)
    assert sorted(server.ready) == ["login", "port", "store", "url", "version", "warning"]
    assert [one["name"] for one in seen.json()["services"]] == [
        "scheduler",
        "backfiller",
        "reaper",
        "retention",
        "launcher",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with server_process(tmp_path) as server:
        assert server.client.get("/api/server").status == 200

        assert server.end(number) == (0, "")


def test_a_request_that_is_being_carried_out_is_answered_before_the_end(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        body = b'{"name": "ada", "role": "viewer"}'
        connection = server.client.connection()
        connection.putrequest("POST", "/api/users")
        connection.putheader("Authorization", f"Bearer {server.client.token}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        # The server asks for the body: so the request is being carried out.
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 100")

        server.process.send_signal(signal.SIGTERM)
        wait_for_no_listener(server.ready["port"])
        connection.send(body)
        answer = connection.getresponse()
        made = answer.status, json.loads(answer.read())["name"]
        connection.close()
        _, told = server.process.communicate(timeout=PATIENCE)

    assert (made, server.process.returncode, told) == ((201, "ada"), 0, "")


def wait_for_no_listener(port: int) -> None:
    ended = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionError:
            return
        ended.wait(0.02)
    raise AssertionError("the server still takes connections")


def test_streams_end_when_the_server_does_with_a_hint_to_come_back(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        connection = server.client.connection()
        connection.request("GET", "/api/stream", headers={"Authorization": f"Bearer {server.client.token}"})
        stream = connection.getresponse()
        stream.readline()

        status, told = server.end()
        rest = stream.read()
        connection.close()

    assert (status, told) == (0, "")
    assert b"retry:" in rest


def test_log_lines_look_as_the_setting_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = "import os\nfrom nadi import flow\n@flow\ndef cut_off(): os.kill(os.getpid(), 9)\ncut_off()"
    monkeypatch.setenv("NADI_LOG_FORMAT", "json")
    subprocess.run([sys.executable, "-c", killed], env={**os.environ, "NADI_HOME": str(tmp_path)}, capture_output=True)

    with server_process(tmp_path) as server:
        while b"CRASHED" not in server.client.get("/api/flow-runs").body:
            pass
        _, told = server.end()

    (line,) = map(json.loads, told.splitlines())
    assert line["level"] == "WARNING"
    assert "count as crashed" in line["message"]


def test_any_number_of_servers_serve_one_store(tmp_path: Path) -> None:
    with server_process(tmp_path) as one, server_process(tmp_path) as other:
        made = one.client.post("/api/users", {"name": "ada", "role": "viewer"})
        seen = other.client.get("/api/users/ada")

        assert (made.status, seen.status) == (201, 200)
        assert one.ready["port"] != other.ready["port"]
        assert (one.end()[0], other.end()[0]) == (0, 0)


# -- what keeps it from starting --


def test_a_port_that_is_taken_is_told_with_status_3(tmp_path: Path, refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        status, told = refused(tmp_path, "--port", str(port))

    assert (status, told) == (
        3,
        f"Error: Port {port} of 127.0.0.1 is taken. Give another one with `--port`, or 0 for any free one.\n",
    )


def test_a_home_that_cannot_be_written_is_told_with_status_3(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")

    status, told = refused(tmp_path / "home")

    assert (status, told.count("\n")) == (3, 1)
    assert "is a file, not a folder" in told


def test_a_database_of_a_newer_version_is_told_with_status_3(tmp_path: Path, refused: Refused) -> None:
    with server_process(tmp_path) as server:
        server.end()
    database = apsw.Connection(str(tmp_path / "nadi.db"))
    database.execute("UPDATE meta SET oldest_writer = 1000, schema_version = 1000")
    database.close()

    status, told = refused(tmp_path)

    assert (status, told.count("\n")) == (3, 1)
    assert "newer" in told


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--certificate", "nowhere.pem"], 3, "certificate of nowhere.pem cannot be used: No such file"),
        (["--certificate", __file__], 3, "cannot be used: "),
        (["--certificate-key", "key.pem"], 2, "give that with --certificate"),
        (["--host", "nowhere.invalid"], 2, "no address for the host 'nowhere.invalid'"),
        (["--host", "192.0.2.1"], 2, "192.0.2.1 is no address of this machine"),
        (["--host", "0.0.0.0"], 2, "with --insecure if you mean it"),
        (["--base-path", "nadi"], 2, "expected a path such as /nadi"),
        (["--base-path", "/a/../b"], 2, "expected a path such as /nadi"),
        (["--host-name", "http://x"], 2, "without scheme and port"),
        (["--port", "70000"], 2, "70000"),
    ],
)
def test_options_that_cannot_be_meant_are_told_in_a_sentence(
    tmp_path: Path, refused: Refused, options: list[str], status: int, said: str
) -> None:
    done, told = refused(tmp_path, *options)

    assert done == status
    assert said in told


def test_with_insecure_it_lets_others_in_and_warns(tmp_path: Path) -> None:
    with server_process(tmp_path, "--host", "0.0.0.0", "--insecure") as server:
        stranger = Client(server.ready["port"]).get("/api/server")
        status, told = server.end()

    assert stranger.status == 401
    assert "there are no users" in server.ready["warning"]
    assert (status, told) == (0, f"Warning: {server.ready['warning']}\n")


def test_with_users_and_a_proxy_for_tls_others_may_come_in(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        server.client.post("/api/users", {"name": "ada", "role": "viewer"})

    with server_process(tmp_path, "--host", "0.0.0.0", "--behind-proxy") as server:
        assert server.ready["warning"] == ""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the command openssl makes the certificate")
def test_it_speaks_tls_and_then_sessions_are_for_tls_alone(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
    )

    with server_process(tmp_path, "--certificate", str(certificate), "--certificate-key", str(key)) as server:
        trusting = ssl.create_default_context(cafile=str(certificate))
        trusting.check_hostname = False
        client = Client(server.ready["port"], tls=trusting)
        came_in = client.get(server.ready["login"].removeprefix(server.ready["url"]))
        with pytest.raises((http.client.HTTPException, OSError)):
            Client(server.ready["port"]).get("/api/health")

    assert server.ready["url"].startswith("https://127.0.0.1:")
    assert came_in.headers["set-cookie"].startswith("__Host-nadi=")
    assert "secure" in came_in.headers["set-cookie"].lower()
