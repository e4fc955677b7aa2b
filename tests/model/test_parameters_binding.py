from __future__ import annotations

import functools
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nadi.exceptions import ParameterBindError
from nadi.model.parameters import Parameters


def plain(a: Any, b: Any, c: Any = 1) -> None: ...


def everything(a: Any, /, b: Any, *rest: Any, c: Any, d: Any = 4, **more: Any) -> None: ...


class Greeter:
    def greet(self, name: str, times: int = 1) -> None: ...

    @classmethod
    def make(cls, name: str) -> None: ...

    @staticmethod
    def shout(name: str) -> None: ...

    def __call__(self, name: str) -> None: ...


def test_arguments_get_their_names_in_the_order_of_the_signature() -> None:
    bound = Parameters.of(plain).bind((1,), {"b": 2})

    assert list(bound.items()) == [("a", 1), ("b", 2), ("c", 1)]


def test_variadics_are_a_tuple_and_a_dict_under_their_own_names() -> None:
    bound = Parameters.of(everything).bind((1, 2, 3, 4), {"c": 5, "e": 6})

    assert bound == {"a": 1, "b": 2, "rest": (3, 4), "c": 5, "d": 4, "more": {"e": 6}}
    assert Parameters.of(everything).names == ("a", "b", "rest", "c", "d", "more")


@given(st.lists(st.integers(), max_size=5), st.dictionaries(st.sampled_from("abcdef"), st.integers()))
def test_binding_and_spreading_agrees_with_python(args: list[int], kwargs: dict[str, int]) -> None:
    def echo(a: Any, /, b: Any, *rest: Any, c: Any, d: Any = 4, **more: Any) -> Any:
        return a, b, rest, c, d, more

    parameters = Parameters.of(echo)
    try:
        expected = echo(*args, **kwargs)
    except TypeError:
        with pytest.raises(ParameterBindError):
            parameters.bind(tuple(args), kwargs)
        return

    again_args, again_kwargs = parameters.spread(parameters.bind(tuple(args), kwargs))

    assert echo(*again_args, **again_kwargs) == expected


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda p: p.bind((), {}), "plain() is missing 'a', 'b'."),
        (lambda p: p.bind((1, 2, 3, 4), {}), "takes at most 3 positional arguments, but 4 were given"),
        (lambda p: p.bind((1,), {"a": 1, "b": 2}), "was given 'a' twice, by position and by name"),
        (lambda p: p.bind((1, 2), {"cc": 3}), "has no parameter 'cc' (did you mean 'c'?)"),
        (lambda p: p.bind((1,), {"bb": 2}), "is missing 'b'"),
        (lambda p: p.bind_named({"a": 1, "x": 2}), "has no parameter 'x'; and is missing 'b'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(call: Callable[[Parameters], object], told: str) -> None:
    with pytest.raises(ParameterBindError) as raised:
        call(Parameters.of(plain))

    assert told in str(raised.value)
    assert "It takes (a: Any, b: Any, c: Any = 1)." in str(raised.value)


def test_a_positional_only_parameter_given_by_name_is_told_so() -> None:
    def f(a: int, /) -> None: ...

    with pytest.raises(ParameterBindError, match="takes 'a' by position only, not by name"):
        Parameters.of(f).bind((), {"a": 1})


def test_text_defaults_are_not_shown_in_errors_as_they_may_be_secret() -> None:
    def connect(host: str, password: str = "hunter2") -> None: ...

    with pytest.raises(ParameterBindError) as raised:
        Parameters.of(connect).bind((), {})

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("fn", "skip_first", "names"),
    [
        (Greeter().greet, False, ("name", "times")),
        (Greeter.greet, True, ("name", "times")),
        (Greeter.greet, False, ("self", "name", "times")),
        (Greeter.make, False, ("name",)),
        (Greeter.__dict__["make"], False, ("name",)),
        (Greeter.__dict__["shout"], False, ("name",)),
        (Greeter(), False, ("name",)),
        (functools.partial(plain, 1), False, ("b", "c")),
        (functools.partial(plain, b=1), False, ("a", "b", "c")),
        (lambda x, *, y: None, False, ("x", "y")),
        (lambda *args: None, True, ("args",)),
        (len, False, ("obj",)),
        (print, False, ("args", "sep", "end", "file", "flush")),
    ],
)
def test_every_callable_has_parameters(fn: Any, skip_first: bool, names: tuple[str, ...]) -> None:
    assert Parameters.of(fn, skip_first=skip_first).names == names


def test_a_wrapper_takes_what_the_wrapped_function_takes() -> None:
    @functools.wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    parameters = Parameters.of(wrapper)

    assert parameters.names == ("a", "b", "c")
    assert parameters.bind((1, 2), {}) == {"a": 1, "b": 2, "c": 1}


def test_a_signature_given_by_hand_counts() -> None:
    def f(*args: Any) -> None: ...

    f.__signature__ = inspect.signature(plain)  # type: ignore[attr-defined]

    assert Parameters.of(f).names == ("a", "b", "c")


def test_a_default_is_the_same_object_at_every_call() -> None:
    shared: list[int] = []

    def f(items: list[int] = shared) -> None: ...

    assert Parameters.of(f).bind((), {})["items"] is shared


def test_parameters_given_by_name_fill_positional_only_and_variadic_ones() -> None:
    parameters = Parameters.of(everything)

    bound = parameters.bind_named({"a": 1, "b": 2, "rest": [3], "c": 4, "more": {"x": 5}, "y": 6})

    assert bound == {"a": 1, "b": 2, "rest": (3,), "c": 4, "d": 4, "more": {"x": 5, "y": 6}}


def test_parameters_pickle_with_their_function() -> None:
    parameters = Parameters.of(plain)
    parameters.bind((1, 2), {})

    again = pickle.loads(pickle.dumps(parameters))

    assert again.bind((1, 2), {}) == {"a": 1, "b": 2, "c": 1}


def test_a_parameter_may_have_any_name_that_python_allows() -> None:
    def f(_0: int = 1, make: int = 2, bind: int = 3, größe: int = 4) -> None: ...

    assert Parameters.of(f).bind((), {}) == {"_0": 1, "make": 2, "bind": 3, "größe": 4}
