from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from nadi.model.records import AnyRecord, LogLine
from nadi.storage import journal as journals
from nadi.storage.delivery import JournalReader
from nadi.storage.journal import Header, Journal, frame, frames, read_header, segments
from tests.storage.telling import artifact_made, event_emitted, log_line, metric_logged, task_begun

ROOT = "run-1"
HEADER = Header("writer-1", "store-1", "sqlite:///x.db", "")


def lines(count: int, start: int = 1) -> list[LogLine]:
    return [log_line(ROOT, f"line {n}") for n in range(start, start + count)]


def texts(records: list[AnyRecord]) -> list[str]:
    return [record.text for record in records if isinstance(record, LogLine)]


def read_all(folder: Path, position: int = 0) -> list[AnyRecord]:
    reader = JournalReader(folder, position)
    records: list[AnyRecord] = []
    while True:
        more, _ = reader.read()
        if not more:
            reader.close()
            return records
        records += more


# -- append --


def test_records_are_read_back_in_the_order_they_were_appended(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)

    numbers = [journal.append(line) for line in lines(100)]

    assert numbers == list(range(1, 101))
    assert texts(read_all(tmp_path)) == [f"line {n}" for n in range(1, 101)]


def test_a_segment_starts_with_the_id_of_the_store_it_is_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)

    journal.append(log_line(ROOT, "x"))

    [(first, path)] = segments(tmp_path)
    head = read_header(path)
    assert first == 1
    assert head is not None
    assert head[0] == HEADER


def test_an_appended_record_survives_kill_9(tmp_path: Path) -> None:
    script = f"""
import os, pathlib
from nadi.storage.journal import Header, Journal
from tests.storage.telling import log_line
journal = Journal(pathlib.Path({str(tmp_path)!r}), Header("w", "s", "u", ""))
for n in range(50):
    journal.append(log_line("run-1", str(n)))
os.kill(os.getpid(), 9)
"""

    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": "src:."}, check=False)

    assert done.returncode == -signal.SIGKILL
    assert texts(read_all(tmp_path)) == [str(n) for n in range(50)]


def test_threads_that_append_at_once_lose_nothing_and_share_no_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    numbers: list[int] = []

    def work(name: str) -> None:
        for n in range(500):
            numbers.append(journal.append(log_line(ROOT, f"{name}:{n}")))

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == list(range(1, 2001))
    assert len(set(texts(read_all(tmp_path)))) == 2000


def test_a_signal_handler_may_log_in_the_middle_of_an_append(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)

    def handler(number: int, frame: object) -> None:
        journal.append(log_line(ROOT, "from the handler"))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
    try:
        for line in lines(5000):
            journal.append(line)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    told = texts(read_all(tmp_path))
    assert [text for text in told if text != "from the handler"] == [f"line {n}" for n in range(1, 5001)]
    assert journal.last == len(told)


def test_a_signal_handler_that_raises_in_the_middle_of_an_append_puts_no_record_out_of_step(tmp_path: Path) -> None:
    journal, rng = Journal(tmp_path, HEADER), random.Random(1)
    interrupted = 0

    def handler(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for line in lines(3000):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.000_002, 0.000_03))
                journal.append(line)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert interrupted
    assert journal.last == len(read_all(tmp_path))


# -- the end of a journal --


@pytest.mark.parametrize("cut", [1, 4, 7, 8, 9, 20])
def test_a_record_that_was_being_written_at_the_death_is_not_there_and_those_before_it_are(
    tmp_path: Path, cut: int
) -> None:
    journal = Journal(tmp_path, HEADER)
    for line in lines(10):
        journal.append(line)
    [(_, path)] = segments(tmp_path)
    whole = frame(msgspec.msgpack.encode(log_line(ROOT, "a long enough line")))

    with path.open("ab") as file:
        file.write(whole[:cut])

    assert texts(read_all(tmp_path)) == [f"line {n}" for n in range(1, 11)]


def test_a_journal_whose_very_header_was_cut_off_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{1:020d}.log").write_bytes(b"NADIJ001\x10\x00")

    records = read_all(tmp_path)

    assert records == []


def test_zeros_that_a_power_cut_left_at_the_end_are_no_records(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    journal.append(log_line(ROOT, "one"))
    [(_, path)] = segments(tmp_path)

    with path.open("ab") as file:
        file.write(b"\0" * 4096)

    assert texts(read_all(tmp_path)) == ["one"]


def test_a_damaged_byte_ends_the_reading_before_its_record() -> None:
    data = bytearray(frame(b"one") + frame(b"two") + frame(b"three"))
    data[len(frame(b"one")) + 9] ^= 0xFF

    payloads = [payload for payload, _ in frames(bytes(data))]

    assert payloads == [b"one"]


# -- segments --


def test_a_journal_goes_on_in_a_new_segment_named_by_its_first_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SEGMENT_BYTES", 2000)
    journal = Journal(tmp_path, HEADER)

    for line in lines(200):
        journal.append(line)

    starts = [first for first, _ in segments(tmp_path)]
    assert len(starts) > 3
    assert texts(read_all(tmp_path)) == [f"line {n}" for n in range(1, 201)]
    assert texts(read_all(tmp_path, position=starts[2] - 1))[0] == f"line {starts[2]}"


def test_a_reader_may_begin_anywhere_however_far_into_a_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.storage.delivery.BATCH_BYTES", 4096)
    journal = Journal(tmp_path, HEADER)
    for line in lines(1000):
        journal.append(line)

    told = texts(read_all(tmp_path, position=990))

    assert told == [f"line {n}" for n in range(991, 1001)]


def test_a_record_larger_than_a_batch_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nadi.storage.delivery.BATCH_BYTES", 4096)
    journal = Journal(tmp_path, HEADER)
    for text in ("small", "x" * 20_000, "after"):
        journal.append(log_line(ROOT, text))

    told = texts(read_all(tmp_path))

    assert told == ["small", "x" * 20_000, "after"]


def test_delivered_segments_are_deleted_and_the_one_being_read_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SEGMENT_BYTES", 2000)
    journal = Journal(tmp_path, HEADER)
    for line in lines(200):
        journal.append(line)
    reader = JournalReader(tmp_path)
    while reader.read(10)[0]:
        continue

    reader.drop_delivered()

    assert len(segments(tmp_path)) == 1
    journal.append(log_line(ROOT, "and on"))
    assert texts(reader.read()[0]) == ["and on"]
    reader.close()


# -- limits --


def test_at_its_limit_appending_waits_for_the_store_and_then_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER, limit=1000)
    while journal._undelivered_bytes <= 1000:
        journal.append(log_line(ROOT, "fill"))
    held = journal._undelivered_bytes
    begun, done = threading.Event(), threading.Event()

    def append() -> None:
        begun.set()
        journal.append(log_line(ROOT, "one more"))
        done.set()

    thread = threading.Thread(target=append)
    thread.start()
    begun.wait()
    blocked = not done.wait(0.2)
    journal.delivered(journal.last, held)
    thread.join(10)

    assert blocked
    assert done.is_set()
    assert texts(read_all(tmp_path))[-1] == "one more"


def test_reading_again_from_an_earlier_place_does_not_count_bytes_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    for line in lines(10):
        journal.append(line)
    reader = JournalReader(tmp_path)
    _, first = reader.read(6)
    reader.move_to(6)
    reader.close()

    _, rest = reader.read()

    assert first + rest == journal._undelivered_bytes
    reader.close()


def small_files(code: str, limit: int) -> subprocess.CompletedProcess[str]:
    """Run code in a process that may not write files larger than `limit` bytes: a disk that is full."""
    setup = f"""
import pathlib, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
from nadi.storage.journal import Header, Journal, segments
from nadi.storage.delivery import JournalReader
from tests.storage.telling import artifact_made, log_line, metric_logged, task_begun
"""
    return subprocess.run(
        [sys.executable, "-c", setup + code],
        env={**os.environ, "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_leaves_whole_records_in_the_file_and_the_rest_in_memory_in_order(tmp_path: Path) -> None:
    done = small_files(
        f"""
journal = Journal(pathlib.Path({str(tmp_path)!r}), Header("w", "s", "u", ""))
for n in range(100):
    journal.append(log_line("run-1", str(n)))
reader = JournalReader(journal.folder)
in_file, _ = reader.read()
from nadi.storage.journal import decode
told = [record.text for record in in_file] + [decode(payload).text for _, payload in journal.overflow]
assert told == [str(n) for n in range(100)], told
assert journal.last == 100 and journal.last_in_file == len(in_file) > 0
assert not journal.flush()
print(journal.trouble)
""",
        limit=2000,
    )

    assert done.stderr == ""
    assert done.stdout.strip()


def test_once_memory_is_delivered_the_file_takes_records_again_in_a_segment_of_their_own(tmp_path: Path) -> None:
    done = small_files(
        f"""
journal = Journal(pathlib.Path({str(tmp_path)!r}), Header("w", "s", "u", ""))
for n in range(100):
    journal.append(log_line("run-1", str(n)))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(log_line("run-1", "still behind the others"))
assert len(journal.overflow) > 1
journal.delivered(journal.last, 0)
number = journal.append(log_line("run-1", "in the file"))
assert number == 102 and journal.trouble == "" and not journal.overflow
assert [first for first, _ in segments(journal.folder)] == [1, 102]
reader = JournalReader(journal.folder, 101)
assert [record.text for record in reader.read()[0]] == ["in the file"]
""",
        limit=2000,
    )

    assert done.stderr == ""


def test_where_neither_file_nor_store_takes_them_logs_go_first_then_artifacts_and_metrics_and_states_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journals, "OVERFLOW_LIMIT", 10)
    journal = Journal(None, HEADER)
    for n in range(15):
        journal.append(log_line(ROOT, str(n)))
    logs_dropped = dict(journal.dropped)
    for n in range(15):
        journal.append(metric_logged(ROOT, "loss", 0.5, step=n))

    journal.append(artifact_made(ROOT, "a-1"))
    journal.append(event_emitted(ROOT, "e-1"))
    number = journal.append(task_begun(ROOT, "t-1"))

    assert logs_dropped == {"log": 5}
    assert journal.dropped == {"log": 5, "metric": 5, "artifact": 1, "event": 1}
    assert number == len(journal.overflow) == 21


# -- forks --


def test_a_forked_child_writes_nothing_and_says_so_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    journal = Journal(tmp_path, HEADER)
    journal.append(log_line(ROOT, "parent"))

    child = os.fork()
    if child == 0:
        journal.append(log_line(ROOT, "child"))
        journal.append(log_line(ROOT, "child again"))
        os._exit(0)
    os.waitpid(child, 0)
    journal.append(log_line(ROOT, "parent again"))

    assert texts(read_all(tmp_path)) == ["parent", "parent again"]
    assert capfd.readouterr().err.count("forked") == 1


def test_a_child_forked_while_another_thread_appends_does_not_hang(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            journal.append(log_line(ROOT, "x"))

    thread = threading.Thread(target=work)
    thread.start()
    statuses = []
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                journal.append(log_line(ROOT, "child"))
                os._exit(0)
            statuses.append(os.waitpid(child, 0)[1])
    finally:
        stop.set()
        thread.join()

    assert statuses == [0] * 20
    assert set(texts(read_all(tmp_path))) == {"x"}


def test_what_is_appended_after_the_end_is_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    journal.append(log_line(ROOT, "one"))
    journal.close()

    number = journal.append(log_line(ROOT, "too late"))

    assert number == 0
    assert texts(read_all(tmp_path)) == ["one"]
