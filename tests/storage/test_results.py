from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from nadi.exceptions import CallError, MissingResult
from nadi.model.results import ResultRef
from nadi.storage.results import Keeper, LocalResults, MemoryResults, ResultStorage, fetch, is_readable
from tests.storage.far import far_results

KEY = b"k" * 32
BIG = "x" * 100_000


@pytest.fixture(params=["local", "memory", "http"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> ResultStorage:
    if request.param == "memory":
        return MemoryResults()
    local = LocalResults(tmp_path / "results")
    return local if request.param == "local" else far_results(local)


@pytest.fixture
def keeper(storage: ResultStorage) -> Keeper:
    return Keeper(storage, KEY, "store", "run", 1)


class Unpicklable:
    def __reduce__(self) -> NoReturn:
        raise ValueError("no")


opened: list[str] = []


def tell() -> None:
    opened.append("read")


class TellsWhenRead:
    def __reduce__(self) -> tuple[Any, ...]:
        return tell, ()


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# -- keeping and fetching ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0, "", b"", {"a": [1]}, BIG, b"\0" * 50_000_000], ids=lambda v: repr(v)[:20])
def test_a_kept_value_is_fetched_as_it_was(value: object, keeper: Keeper, storage: ResultStorage) -> None:
    ref = keeper.keep(value, task_run_id="t1")

    assert fetch(ref, storage, KEY) == value
    assert is_readable(ref, storage, KEY)


def test_none_needs_no_data_at_all(keeper: Keeper) -> None:
    assert keeper.keep(None, task_run_id="t1") == ResultRef("none")


def test_small_values_lie_in_the_record_and_large_ones_in_result_storage(
    keeper: Keeper, storage: ResultStorage
) -> None:
    small = keeper.keep("x", task_run_id="t1")
    large = keeper.keep(BIG, task_run_id="t2")

    assert (small.kind, small.key) == ("inline", "")
    assert (large.kind, large.key, large.data) == ("file", "store/run/1/t2", b"")
    assert large.size_bytes == len(storage.read(large.key))


def test_a_reference_survives_being_written_as_json_and_msgpack(keeper: Keeper, storage: ResultStorage) -> None:
    ref = keeper.keep({"a": 1}, task_run_id="t1")

    for codec in (msgspec.json, msgspec.msgpack):
        assert fetch(codec.decode(codec.encode(ref), type=ResultRef), storage, KEY) == {"a": 1}


@pytest.mark.parametrize("format", ["json", "compressed/pickle", "compressed/json"])
def test_each_format_is_kept_and_fetched(format: str, keeper: Keeper, storage: ResultStorage) -> None:
    small = keeper.keep([1], task_run_id="t1", format=format)
    large = keeper.keep([os.urandom(30_000).hex()], task_run_id="t2", format=format)

    assert (small.kind, large.kind) == ("inline", "file")
    assert fetch(small, storage, KEY) == [1]
    assert len(fetch(large, storage, KEY)[0]) == 60_000


@pytest.mark.parametrize(
    ("value", "format", "sentence"),
    [
        (Unpicklable(), "pickle", "Unpicklable cannot be stored: ValueError: no."),
        (threading.Lock(), "pickle", "cannot pickle '_thread.lock' object"),
        (object(), "json", "cannot be stored as JSON"),
        (1, "xml", "no serializer called 'xml'"),
    ],
    ids=["hostile", "unpicklable", "no-json", "no-format"],
)
def test_what_cannot_be_kept_says_why_and_raises_nothing(
    value: object, format: str, sentence: str, keeper: Keeper, storage: ResultStorage
) -> None:
    ref = keeper.keep(value, task_run_id="t1", format=format)

    assert ref.kind == "not_kept"
    assert sentence in ref.note
    assert not is_readable(ref, storage, KEY)
    with pytest.raises(MissingResult, match="was not kept: "):
        fetch(ref, storage, KEY)


def test_the_reason_fits_a_record_whatever_the_value_says(keeper: Keeper) -> None:
    class Shouts:
        def __reduce__(self) -> NoReturn:
            raise ValueError("\udcff" * 1_000_000)

    ref = keeper.keep(Shouts(), task_run_id="t1")

    assert len(msgspec.json.encode(ref)) < 2000


# -- what is not trusted -------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["small", BIG], ids=["inline", "file"])
def test_a_result_signed_by_another_store_is_missing(value: str, keeper: Keeper, storage: ResultStorage) -> None:
    ref = keeper.keep(value, task_run_id="t1")

    assert not is_readable(ref, storage, b"another" * 4)
    with pytest.raises(MissingResult, match="not signed by this store"):
        fetch(ref, storage, b"another" * 4)


def test_nothing_is_unpickled_before_its_signature_is_checked(keeper: Keeper, storage: ResultStorage) -> None:
    ref = keeper.keep(TellsWhenRead(), task_run_id="t1")
    opened.clear()

    with pytest.raises(MissingResult):
        fetch(msgspec.structs.replace(ref, signature=b"x" * 16), storage, KEY)
    is_readable(ref, storage, KEY)

    assert opened == []
    fetch(ref, storage, KEY)
    assert opened == ["read"]


@pytest.mark.parametrize("change", [{"data": b"N."}, {"format": "json"}, {"key": "other"}, {"signature": b""}])
def test_a_reference_changed_in_any_part_is_missing(
    change: dict[str, Any], keeper: Keeper, storage: ResultStorage
) -> None:
    ref = keeper.keep(1, task_run_id="t1")

    assert not is_readable(msgspec.structs.replace(ref, **change), storage, KEY)


def test_a_file_that_was_put_in_the_place_of_another_is_missing(keeper: Keeper, storage: ResultStorage) -> None:
    ref = keeper.keep(BIG, task_run_id="t1")
    other = keeper.keep(BIG + "y", task_run_id="t2")

    swapped = msgspec.structs.replace(ref, key=other.key, signature=other.signature)
    moved = msgspec.structs.replace(ref, key=other.key)

    assert fetch(swapped, storage, KEY) == BIG + "y"
    assert not is_readable(moved, storage, KEY)


def test_a_file_that_is_gone_is_missing(keeper: Keeper, storage: ResultStorage) -> None:
    ref = keeper.keep(BIG, task_run_id="t1")

    storage.delete(ref.key)

    assert not is_readable(ref, storage, KEY)
    with pytest.raises(MissingResult, match=r"is not in .* any more"):
        fetch(ref, storage, KEY)


def test_a_value_whose_class_is_gone_is_missing(storage: ResultStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = Keeper(storage, KEY, "store", "run", 1).keep(TellsWhenRead, task_run_id="t1")
    monkeypatch.delattr(sys.modules[__name__], "TellsWhenRead")

    with pytest.raises(MissingResult, match="cannot be read back: AttributeError"):
        fetch(ref, storage, KEY)


def test_a_key_too_short_to_be_a_secret_is_refused(storage: ResultStorage) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Keeper(storage, b"", "store", "run", 1)


# -- result storage ------------------------------------------------------------------------------


def test_what_is_written_is_read_until_it_is_deleted(storage: ResultStorage) -> None:
    storage.write("s/r/1/t", b"data")

    assert storage.read("s/r/1/t") == b"data"
    assert storage.exists("s/r/1/t")

    storage.delete("s/r/1/t")
    storage.delete("s/r/1/t")

    assert not storage.exists("s/r/1/t")
    with pytest.raises(FileNotFoundError):
        storage.read("s/r/1/t")


def test_a_result_is_written_once_and_never_overwritten(storage: ResultStorage) -> None:
    storage.write("s/r/1/t", b"first")
    storage.write("s/r/1/t", memoryview(b"first"))

    with pytest.raises(FileExistsError):
        storage.write("s/r/1/t", b"second")

    assert storage.read("s/r/1/t") == b"first"


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "a\0b", "a\\b", "C:/x"])
def test_a_key_that_could_lead_elsewhere_is_refused(key: str, storage: ResultStorage) -> None:
    uses: list[Any] = [lambda: storage.write(key, b""), lambda: storage.read(key), lambda: storage.delete(key)]
    for use in uses:
        with pytest.raises(CallError, match="is not a key of a result"):
            use()


def test_of_many_writers_of_one_key_exactly_one_wins(storage: ResultStorage) -> None:
    def write(data: bytes) -> bool:
        try:
            storage.write("s/r/1/t", data)
        except FileExistsError:
            return False
        return True

    candidates = [str(n).encode() for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, candidates))

    assert won.count(True) == 1
    assert storage.read("s/r/1/t") == candidates[won.index(True)]


def test_only_the_owner_can_read_files_and_folders(tmp_path: Path) -> None:
    LocalResults(tmp_path / "home" / "results").write("s/r/1/t", b"data")

    modes = {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "home").rglob("*") if path.is_dir()}
    assert modes == {"0o700"}
    assert (tmp_path / "home/results/s/r/1/t").stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_of_a_run_whose_results_are_deleted(tmp_path: Path) -> None:
    storage = LocalResults(tmp_path / "results")
    storage.write("s/r/1/t1", b"data")
    storage.write("s/r/1/t2", b"data")

    storage.delete("s/r/1/t1")
    storage.delete("s/r/1/t2")

    assert [path.name for path in (tmp_path / "results").iterdir()] == [".unfinished"]
    assert files_in(tmp_path) == []


def test_the_url_of_a_folder_is_a_file_url(tmp_path: Path) -> None:
    assert LocalResults(tmp_path / "a b").url == f"file://{tmp_path}/a%20b"


def test_a_file_system_without_hard_links_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> NoReturn:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    storage = LocalResults(tmp_path)
    storage.write("s/r/1/t", b"data")

    with pytest.raises(FileExistsError):
        storage.write("s/r/1/t", b"other")
    assert files_in(tmp_path) == ["s/r/1/t"]


# -- bad luck ------------------------------------------------------------------------------------


def test_a_result_too_large_for_the_disk_is_not_kept_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    keeper = Keeper(LocalResults(tmp_path), KEY, "store", "run", 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        ref = keeper.keep(BIG, task_run_id="t1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert ref.kind == "not_kept"
    assert ref.note == f"The result could not be written to file://{tmp_path}: file too large."
    assert files_in(tmp_path) == []


def test_a_full_disk_means_not_kept_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        ref = Keeper(LocalResults(tmp_path), KEY, "store", "run", 1).keep(BIG, task_run_id="t1")
        left = files_in(tmp_path)
    finally:
        subprocess.run(["umount", tmp_path], check=True)

    assert ref.note == f"The result could not be written to file://{tmp_path}: no space left on device."
    assert left == []


def test_a_folder_that_cannot_be_made_means_not_kept(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file is in the way")

    ref = Keeper(LocalResults(tmp_path / "results"), KEY, "store", "run", 1).keep(BIG, task_run_id="t1")

    assert ref.kind == "not_kept"
    assert "could not be written to file://" in ref.note


def test_a_very_long_id_means_not_kept(tmp_path: Path) -> None:
    ref = Keeper(LocalResults(tmp_path), KEY, "store", "run", 1).keep(BIG, task_run_id="é" * 300)

    assert "file name too long" in ref.note
    assert files_in(tmp_path) == []


def test_a_writer_killed_half_way_leaves_no_result_that_could_be_read(tmp_path: Path) -> None:
    code = (
        "import os, sys; from nadi.storage import results as r\n"
        "r._publish = lambda *a: os.kill(os.getpid(), 9)\n"
        "r.LocalResults(sys.argv[1]).write('s/r/1/t', b'half')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)])

    storage = LocalResults(tmp_path)
    assert done.returncode == -9
    assert not storage.exists("s/r/1/t")
    storage.write("s/r/1/t", b"whole")
    assert storage.read("s/r/1/t") == b"whole"
