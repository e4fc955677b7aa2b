from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from string import ascii_lowercase
from typing import Any

import pytest

from nadi.exceptions import DefinitionError, ParameterError
from nadi.model.names import ADJECTIVES, ANIMALS, check_flow_name, check_task_name, render_name, run_name, slug
from nadi.model.secrets import Secret


@dataclass
class Job:
    day: date
    _hidden: str = "x"


def test_a_made_up_name_is_an_adjective_an_animal_and_a_number() -> None:
    adjective, animal, number = run_name(random.Random(7)).split("-")

    assert adjective in ADJECTIVES
    assert animal in ANIMALS
    assert 1 <= int(number) <= 99


def test_the_same_seed_makes_the_same_name() -> None:
    assert run_name(random.Random(1)) == run_name(random.Random(1))


@pytest.mark.parametrize("words", [ADJECTIVES, ANIMALS])
def test_there_are_many_words_each_once_and_in_plain_letters(words: tuple[str, ...]) -> None:
    assert len(words) >= 80
    assert len(set(words)) == len(words)
    assert all(set(word) <= set(ascii_lowercase) for word in words)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("plain", "plain"),
        ("{x}-{y[k]}", "3-v"),
        ("{items[1]}", "b"),
        ("{job.day:%Y}", "2024"),
        ("{x:>{width}}", "    3"),
        ("{text!r}", "'a b'"),
        ("{{{x}}}", "{3}"),
    ],
)
def test_a_template_is_filled_as_str_format_would(template: str, name: str) -> None:
    values = {"x": 3, "y": {"k": "v"}, "items": ["a", "b"], "job": Job(date(2024, 5, 1)), "width": 5, "text": "a b"}

    assert render_name(template, values) == name == template.format(**values)


def test_a_missing_parameter_is_named_with_the_template_and_those_there_are() -> None:
    with pytest.raises(ParameterError) as error:
        render_name("{x}-{rows}", {"x": 1, "y": 2})

    assert str(error.value) == (
        "The run name template '{x}-{rows}' asks for 'rows', which is no parameter. The parameters are: 'x', 'y'."
    )


@pytest.mark.parametrize("template", ["{y[z]}", "{y.z}", "{y[k][9]}"])
def test_a_missing_item_or_attribute_is_named(template: str) -> None:
    with pytest.raises(ParameterError, match=r"has no (item|attribute)"):
        render_name(template, {"y": {"k": "v"}})


@pytest.mark.parametrize(
    "template",
    [
        "{job.__class__}",
        "{job._hidden}",
        "{job.day.__init__.__globals__}",
        "{y[__x__]}",
        "{gen.gi_frame}",
        "{x:{job._hidden}}",
    ],
)
def test_a_template_cannot_reach_into_the_program(template: str) -> None:
    values: dict[str, Any] = {"job": Job(date(2024, 5, 1)), "y": {"__x__": 1}, "gen": (n for n in ""), "x": 1}

    with pytest.raises(DefinitionError, match="reaches for"):
        render_name(template, values)


@pytest.mark.parametrize("template", ["{", "}", "{}", "{0}", "{x!z}", "{x:q}", "{x[}"])
def test_a_malformed_template_is_told_in_a_sentence(template: str) -> None:
    with pytest.raises(DefinitionError, match="run name template"):
        render_name(template, {"x": 1})


def test_a_value_that_cannot_be_formatted_is_told_in_a_sentence() -> None:
    with pytest.raises(ParameterError, match="could not be filled"):
        render_name("{x:%Y}", {"x": object()})


def test_a_rendered_name_shows_no_secret_and_is_cut() -> None:
    secret = Secret("name-template-password")

    assert render_name("{s}-{t}", {"s": secret, "t": secret.get()}) == "****-****"
    assert len(render_name("{x}", {"x": "y" * 10_000})) == 200


@pytest.mark.parametrize("name", ["etl", "nightly etl", "поток", "a.b-c_d", "x" * 200])
def test_ordinary_flow_names_are_taken(name: str) -> None:
    assert check_flow_name(name) == name


@pytest.mark.parametrize("name", ["", "  ", "a/b", "50%", "a&b", "a>b", "<b>", "x" * 201, None, 3])
def test_a_flow_name_that_would_break_urls_or_pages_is_refused(name: Any) -> None:
    with pytest.raises(DefinitionError, match=r"[Ff]low('s)? name"):
        check_flow_name(name)


@pytest.mark.parametrize("name", ["raw > clean", "a/b", "50%"])
def test_a_task_may_have_any_name_that_fits(name: str) -> None:
    assert check_task_name(name) == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, None])
def test_a_task_name_that_says_nothing_or_is_too_long_is_refused(name: Any) -> None:
    with pytest.raises(DefinitionError, match=r"task('s)? name"):
        check_task_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("My Flow", "my-flow"), ("a//b\\c..d", "a-b-c-d"), ("Crème brûlée", "creme-brulee"), ("--x--", "x")],
)
def test_a_slug_has_lower_case_ascii_and_single_hyphens(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_names_that_lose_letters_in_a_slug_stay_apart() -> None:
    slugs = {slug(name) for name in ("поток", "река", "flow-поток", "flow-река", "", "x" * 300, "x" * 301)}

    assert len(slugs) == 7
    assert all(0 < len(one) <= 80 and set(one) <= set(ascii_lowercase + "0123456789-") for one in slugs)
