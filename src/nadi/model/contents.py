"""What a value is made of: a decomposition into builtin values by which two objects can be compared.

Kinds of libraries (NumPy, pandas, Polars, Arrow, pydantic) are recognised by name and never
imported. User code that runs here (`__getstate__`, properties) may raise anything; callers take
every exception as "cannot be told".
"""

from __future__ import annotations

import copyreg
import enum
import io
import sys
from collections import OrderedDict
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from nadi.model.code import code_digest, is_user_class, is_user_module, stable_module_name, stable_name

#: Libraries whose own way of reducing an object to a call is cheap and says all, as that of the standard library.
_REDUCE_WELL = frozenset({*sys.stdlib_module_names, "numpy", "pandas", "pyarrow", "nadi"})


class TooBig(Exception):
    """A value has more content than may be looked at."""


def contents(value: Any, *, max_bytes: float, complete: bool = False) -> tuple[str, Any] | None:
    """The name of a value's kind and what it is made of; None where that cannot be told.

    What it is made of may hold further objects, to be taken apart in turn. `value` is no plain
    builtin: those need no taking apart. With `complete`, every kind is asked how it would be pickled,
    however long that takes; the caller deals with functions and classes itself.

    Raises:
        TooBig: when it is more than `max_bytes` bytes of data.
        Exception: whatever the code of a user's class raises.
    """
    kind = type(value)
    known = _BY_NAME.get(f"{kind.__module__}.{kind.__qualname__}")
    if known is not None:
        return known[0], known[1](value)
    if isinstance(value, FunctionType):
        return _function(value)
    name = stable_name(kind)
    if isinstance(value, enum.Enum):
        return name, (value.name, value.value)
    if isinstance(value, type):
        return "class", (stable_name(value), code_digest(value) if is_user_class(value) else None)
    root = kind.__module__.partition(".")[0]
    if (library := _BY_LIBRARY.get(root)) is not None and (made_of := library(value, max_bytes)) is not None:
        return name, made_of
    if root == "nadi" and isinstance(fn := getattr(value, "fn", None), FunctionType):
        return _function(fn)
    if (fields := getattr(kind, "__struct_fields__", None)) is not None:
        return name, {field: getattr(value, field) for field in fields}
    if hasattr(kind, "__pydantic_fields__"):
        return name, (value.__dict__, value.__pydantic_extra__, value.__pydantic_private__)
    # Those of `collections` hold more than their items: a default, an order.
    holds_more = complete and (root == "collections" or isinstance(value, OrderedDict))
    for base, length, exact in _BASES:
        if isinstance(value, base) and not holds_more:
            if length is not None:
                _small(length(value), max_bytes)
            return name, (exact(value), object.__getstate__(value))
    return (name, _pickled(value, kind)) if complete else _reduced(value, kind, name, max_bytes)


# -- objects of Python and its standard library ---------------------------------------------


def _function(fn: FunctionType) -> tuple[str, Any]:
    # Code made by a library at run time (a closure, a lambda) is not told by its name.
    made_here = is_user_module(fn.__globals__) or fn.__closure__ is not None or "<" in fn.__qualname__
    return "function", (stable_name(fn), code_digest(fn) if made_here or hasattr(fn, "__wrapped__") else None)


def _reduced(value: Any, kind: type, name: str, max_bytes: float) -> tuple[str, Any] | None:
    """An ordinary instance by its attributes; one of a trusted library as that would pickle it."""
    definer = next(each for each in kind.__mro__ if "__reduce_ex__" in vars(each) or "__reduce__" in vars(each))
    if definer is not object:
        if definer.__module__.partition(".")[0] not in _REDUCE_WELL:
            return None
        _small(getattr(value, "nbytes", 0), max_bytes)
        if hasattr(kind, "__len__"):
            _small(len(value), max_bytes)
        return name, _pickled(value, kind)
    getstate = next((each for each in kind.__mro__ if "__getstate__" in vars(each)), object)
    if _trusts_getstate(getstate):
        return name, value.__getstate__()
    if _has_hidden_state(kind):
        return None
    return name, object.__getstate__(value)


def _pickled(value: Any, kind: type) -> Any:
    """The parts that a pickle of the object would be made of."""
    reducer = copyreg.dispatch_table.get(kind)
    reduced: Any = value.__reduce_ex__(4) if reducer is None else reducer(value)
    if isinstance(reduced, str):
        return reduced
    made, arguments, state, items, pairs = (list(reduced) + [None] * 3)[:5]
    # The class itself stands among the arguments, and is told by the name of the kind.
    arguments = tuple(None if argument is kind else argument for argument in arguments)
    # State as it is; the items of containers come as iterators.
    paired: Any = list if isinstance(value, OrderedDict) else dict
    return stable_name(made), arguments, state, list(items or ()), paired(pairs or ())


def _trusts_getstate(definer: type) -> bool:
    # A library's may serialise gigabytes (models, boosters); a user's leaves out locks and connections.
    if definer is object:
        return False
    return is_user_class(definer) or definer.__module__.partition(".")[0] in _REDUCE_WELL


def _has_hidden_state(kind: type) -> bool:
    """Whether instances hold more than attributes that Python can see (CPython's own test when pickling)."""
    seen = object.__basicsize__ + 8 * len(copyreg._slotnames(kind))  # type: ignore[attr-defined]
    seen += 8 * (kind.__dictoffset__ > 0) + 8 * (kind.__weakrefoffset__ > 0)
    return kind.__basicsize__ > seen or kind.__itemsize__ > 0


def _builtin(value: BuiltinFunctionType) -> Any:
    owner = value.__self__  # of `len` the module, of `[].append` the list
    return stable_name(value), None if isinstance(owner, ModuleType) else owner


def _zone(value: Any) -> str:
    if value.key is None:
        raise ValueError("a zone read from a file has no name")
    return str(value.key)


def _stream(value: io.BytesIO | io.StringIO) -> Any:
    return value.getvalue(), value.tell()


#: Kinds told apart in a way of our own, because their pickled form is costly or differs between Python versions.
_BY_NAME: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "datetime.datetime": ("datetime", lambda x: (x.replace(tzinfo=None).isoformat(), x.fold, x.tzinfo)),
    "datetime.date": ("date", lambda x: x.isoformat()),
    "datetime.time": ("time", lambda x: (x.replace(tzinfo=None).isoformat(), x.fold, x.tzinfo)),
    "datetime.timedelta": ("timedelta", lambda x: (x.days, x.seconds, x.microseconds)),
    "datetime.timezone": ("timezone", lambda x: (x.utcoffset(None), x.tzname(None))),
    "zoneinfo.ZoneInfo": ("zone", _zone),
    "decimal.Decimal": ("decimal", str),
    "fractions.Fraction": ("fraction", lambda x: (x.numerator, x.denominator)),
    "uuid.UUID": ("uuid", lambda x: x.int),
    "re.Pattern": ("pattern", lambda x: (x.pattern, x.flags)),
    "builtins.slice": ("slice", lambda x: (x.start, x.stop, x.step)),
    "builtins.builtin_function_or_method": ("builtin", _builtin),
    "builtins.method": ("method", lambda x: (x.__self__, x.__func__)),
    "builtins.module": ("module", lambda x: stable_module_name(x.__name__)),
    "builtins.mappingproxy": ("mappingproxy", dict),
    "builtins.dict_keys": ("dict_keys", list),
    "builtins.dict_values": ("dict_values", list),
    "builtins.dict_items": ("dict_items", list),
    "array.array": ("array", lambda x: (x.typecode, memoryview(x))),
    "functools.partial": ("partial", lambda x: (x.func, x.args, x.keywords)),
    "functools._lru_cache_wrapper": ("cached", lambda x: x.__wrapped__),
    "_io.BytesIO": ("BytesIO", _stream),
    "_io.StringIO": ("StringIO", _stream),
    "pathlib.PosixPath": ("path", str),
    "pathlib.WindowsPath": ("path", str),
    "pathlib.PurePosixPath": ("pure path", str),
    "pathlib.PureWindowsPath": ("pure windows path", str),
    "pathlib._local.PosixPath": ("path", str),  # Python 3.13 keeps them there
    "pathlib._local.WindowsPath": ("path", str),
    "pathlib._local.PurePosixPath": ("pure path", str),
    "pathlib._local.PureWindowsPath": ("pure windows path", str),
}

#: Builtins that users derive from: how long one is, and how to get at the builtin value past what a subclass overrides.
_BASES: tuple[tuple[type, Callable[[Any], int] | None, Callable[[Any], Any]], ...] = (
    (str, str.__len__, str.__str__),
    (int, None, int.__int__),
    (float, None, float.__float__),
    (dict, dict.__len__, lambda x: dict(dict.items(x))),
    (list, list.__len__, lambda x: list(list.__iter__(x))),
    (tuple, tuple.__len__, lambda x: tuple(tuple.__iter__(x))),
    (set, set.__len__, lambda x: set(set.__iter__(x))),
    (frozenset, frozenset.__len__, lambda x: frozenset(frozenset.__iter__(x))),
    (bytes, bytes.__len__, lambda x: bytes(memoryview(x))),
    (bytearray, bytearray.__len__, lambda x: bytes(memoryview(x))),
)

# -- arrays and tables ----------------------------------------------------------------------


def _small(size: Any, max_bytes: float) -> None:
    if size > max_bytes:
        raise TooBig


def _numpy(value: Any, max_bytes: float) -> Any:
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.ma.MaskedArray):
        return value.data, value.mask, value.fill_value
    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    _small(value.nbytes, max_bytes)
    dtype = value.dtype.str if value.dtype.names is None else repr(value.dtype)
    return dtype, value.shape, value.tolist() if value.dtype.hasobject else value.tobytes()


def _pandas(value: Any, max_bytes: float) -> Any:
    pandas = sys.modules["pandas"]
    if isinstance(value, pandas.DataFrame):
        _small(value.memory_usage().sum(), max_bytes)
        return value.columns, value.index, [value.iloc[:, place].array for place in range(value.shape[1])]
    if isinstance(value, pandas.Series):
        return value.name, value.index, value.array
    if isinstance(value, pandas.RangeIndex):
        return value.name, value.start, value.stop, value.step
    if isinstance(value, pandas.MultiIndex):
        return list(value.names), list(value.levels), [codes.tolist() for codes in value.codes]
    if isinstance(value, pandas.Index):
        return value.name, value.array
    if not isinstance(value, pandas.api.extensions.ExtensionArray):
        return None
    _small(value.nbytes, max_bytes)
    if isinstance(value, pandas.Categorical):
        return value.codes, value.categories, value.ordered
    if hasattr(value, "_pa_array"):
        return str(value.dtype), value.__arrow_array__()
    # Dates as numbers; as objects they would cost a hundred times as much.
    return str(value.dtype), value.asi8 if hasattr(value, "asi8") else value.to_numpy()


def _polars(value: Any, max_bytes: float) -> Any:
    polars = sys.modules["polars"]
    if not isinstance(value, (polars.DataFrame, polars.Series)):
        return None
    _small(value.estimated_size(), max_bytes)
    written = io.BytesIO()
    frame = value.to_frame() if isinstance(value, polars.Series) else value
    frame.rechunk().write_ipc_stream(written)
    return written.getvalue()


def _pyarrow(value: Any, max_bytes: float) -> Any:
    arrow = sys.modules["pyarrow"]
    if isinstance(value, arrow.Scalar):
        return str(value.type), value.as_py()
    if not isinstance(value, (arrow.Table, arrow.RecordBatch, arrow.Array, arrow.ChunkedArray)):
        return None
    _small(value.nbytes, max_bytes)
    if isinstance(value, arrow.RecordBatch):
        value = arrow.Table.from_batches([value])
    elif not isinstance(value, arrow.Table):
        value = arrow.table([value], names=[""])
    written = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(written, value.schema) as stream:
        stream.write_table(value.combine_chunks())
    return written.getvalue().to_pybytes()


#: By the first part of the module's name: what arrays and tables are made of, or None for the library's other kinds.
_BY_LIBRARY: dict[str, Callable[[Any, float], Any]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
}
