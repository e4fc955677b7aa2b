"""Arrays and tables as bytes, piece by piece: what they hold, whatever their layout in memory, without a copy of all.

Libraries are recognised by name and never imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

#: Bytes that are copied at a time where data does not lie in one piece.
PIECE = 4 * 1024 * 1024


class Buffers(NamedTuple):
    """The data of an array or table."""

    #: Type and shape, as builtin values.
    description: Any
    #: The data in order; of a table one piece after the other, cut at the same rows whatever its chunks are.
    pieces: Iterator[memoryview]


#: Takes each piece that a library writes.
Sink = Callable[[memoryview], None]


def array_buffers(value: Any) -> Buffers | None:
    """The data of a NumPy array or scalar; None for another kind, for masked arrays and those of Python objects."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    if value.dtype.hasobject or isinstance(value, numpy.ma.MaskedArray):
        return None
    array = numpy.asarray(value)
    if array.dtype.names is not None:
        # Field by field: the bytes between the fields hold anything.
        fields = [array_buffers(array[name]) for name in array.dtype.names]
        described = [(name, field.description) for name, field in zip(array.dtype.names, fields, strict=True) if field]
        return Buffers((described, array.shape), chain.from_iterable(field.pieces for field in fields if field))
    return Buffers((array.dtype.str, array.dtype.name, array.shape), _array_pieces(array, numpy))


def _array_pieces(array: Any, numpy: Any) -> Iterator[memoryview]:
    if array.nbytes == 0:
        return
    if array.flags.c_contiguous:
        # Viewed as bytes, since memoryview knows no dates and no half floats.
        yield memoryview(array.reshape(-1).view(numpy.uint8))
        return
    row = array.nbytes // len(array)
    if row > PIECE and array.ndim > 1:
        for part in array:
            yield from _array_pieces(part, numpy)
        return
    step = max(1, PIECE // max(1, row))
    for start in range(0, len(array), step):
        part = numpy.ascontiguousarray(array[start : start + step])
        yield memoryview(part.reshape(-1).view(numpy.uint8))


def write_table(value: Any, sink: Sink) -> Any:
    """Write the data of a Polars or Arrow table or column to `sink`; return what describes it, None for other kinds."""
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library == "polars":
        return _write_polars(value, sink)
    return _write_arrow(value, sink) if library == "pyarrow" else None


class _File:
    """What a library takes for a file."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._at = 0

    def write(self, data: Any) -> int:
        written = memoryview(data)
        self._sink(written)
        self._at += written.nbytes
        return written.nbytes

    def tell(self) -> int:
        return self._at

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def writable(self) -> bool:
        return True


def _rows(count: int, columns: int) -> Iterator[tuple[int, int]]:
    """Where to cut `count` rows, and how many rows each part has: alike for equal tables, whatever their layout."""
    step = max(1, PIECE // (8 * max(1, columns)))
    for start in range(0, count, step):
        yield start, min(step, count - start)


def _write_polars(value: Any, sink: Sink) -> Any:
    polars = sys.modules["polars"]
    if not isinstance(value, (polars.DataFrame, polars.Series)):
        return None
    frame = value.to_frame() if isinstance(value, polars.Series) else value
    oldest = polars.CompatLevel.oldest()
    for start, count in _rows(frame.height, frame.width):
        # The oldest layout has all text in one piece; the newer one may refer to what was cut away.
        frame.slice(start, count).rechunk().write_ipc_stream(_File(sink), compat_level=oldest)
    return [(name, str(kind)) for name, kind in frame.schema.items()], frame.height


def _write_arrow(value: Any, sink: Sink) -> Any:
    arrow = sys.modules["pyarrow"]
    if isinstance(value, arrow.RecordBatch):
        value = arrow.Table.from_batches([value])
    elif isinstance(value, (arrow.Array, arrow.ChunkedArray)):
        value = arrow.table([value], names=[""])
    elif not isinstance(value, arrow.Table):
        return None
    for start, count in _rows(value.num_rows, value.num_columns):
        part = value.slice(start, count).combine_chunks()
        with arrow.ipc.new_stream(arrow.PythonFile(_File(sink), "w"), part.schema) as stream:
            stream.write_table(part)
    return str(value.schema), value.num_rows
