"""Names of flows and runs: which are allowed, how they are made up, and how a template becomes one."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

from nadi.exceptions import DefinitionError, ParameterError
from nadi.model.secrets import mask
from nadi.model.text import safe_repr, shorten

#: The most characters in the name of a flow or a run.
LONGEST_NAME = 200

#: The most characters in a slug.
LONGEST_SLUG = 80

#: Characters that no flow name may have: they mean something in URLs, shells and HTML.
FORBIDDEN = "/%&><"

ADJECTIVES = tuple(
    """
    agile amber ample autumn azure balmy bold brave breezy bright brisk calm candid cedar cheery clear clever
    coastal cobalt copper coral cosy crisp curious daring dawn deft dewy eager early earnest easy emerald even
    fabled fleet floral fluent fond free fresh frosty gentle gilded glad gleaming golden graceful grand
    hardy hazel hearty honest humble indigo ivory jade jaunty jolly keen kind lilac limber limpid lively lofty
    loyal lucid lunar maple marble mellow merry mighty mild misty mossy neat nimble noble olive opal pearly
    placid plucky polished proud quick quiet rapid rippling roaming rosy ruby rustic sandy serene shady shining
    silent silver sincere sleek smooth snowy solar spry stately steady still sunny swift tidal tidy topaz
    tranquil upbeat velvet vernal vivid warm wavy windy wise witty zesty
    """.split()  # noqa: SIM905 - two hundred words read better as a page of words
)

ANIMALS = tuple(
    """
    anchovy avocet barbel barbet beaver bittern bream bullfrog burbot caiman capybara carp catfish char
    coot cormorant crake crane crayfish curlew dabchick dace dipper dolphin dragonfly drake duck dunlin
    eel egret eider elver firefly frog gadwall gannet gar godwit goldeneye goose goshawk grayling grebe
    greenshank gudgeon gull hawk heron hippo hoopoe ibis jacana kingfisher kite knot koi lapwing loach loon
    mahseer mallard manatee marten mayfly merganser mink minnow moorhen muskrat mussel newt nutria osprey otter
    oystercatcher paddlefish pelican perch petrel pike pintail pipit platypus plover pochard puffin rail redshank
    roach rudd ruff salamander salmon sandpiper seal shad shelduck shoveler shrike shrimp smelt smew snipe
    spoonbill starling sterlet stickleback stilt stint stork sturgeon sunfish swan swift teal tench tern
    terrapin tetra toad trout turtle vole wader wagtail warbler whimbrel whitefish wigeon zander
    """.split()  # noqa: SIM905 - two hundred words read better as a page of words
)

#: Attributes that lead from a running generator or coroutine to the variables of whole modules.
_FRAME_ATTRIBUTES = frozenset({"gi_frame", "gi_code", "cr_frame", "cr_code", "ag_frame", "ag_code", "tb_frame"})


def run_name(rng: random.Random) -> str:
    """A friendly name for a run, such as `amber-heron-42`; two million are possible, so names may repeat."""
    return f"{rng.choice(ADJECTIVES)}-{rng.choice(ANIMALS)}-{rng.randrange(1, 100)}"


def told_for_shell(name: str, id: str) -> str:
    """Return what to type for a run: its name where a shell takes it as it is, else its id."""
    return name if name.isascii() and name.replace("-", "a").replace("_", "a").isalnum() and name[0] != "-" else id


def check_task_name(name: str, *, kind: str = "task") -> str:
    """Hand back `name` if a task may be called that.

    Raises:
        DefinitionError: if it is no string, blank, or longer than 200 characters.
    """
    if not isinstance(name, str):
        raise DefinitionError(f"A {kind}'s name must be a string, not {safe_repr(name, 60)} ({type(name).__name__}).")
    if not name.strip():
        raise DefinitionError(f"A {kind}'s name must not be empty. Leave `name` out to use the function's own name.")
    if len(name) > LONGEST_NAME:
        raise DefinitionError(
            f"The {kind} name {shorten(name, 60)!r} has {len(name):,} characters, and {LONGEST_NAME} are allowed."
            " The description can be as long as you like."
        )
    return name


def check_flow_name(name: str) -> str:
    """Hand back `name` if a flow may be called that: what a task may be called, without any of `/ % & > <`.

    Raises:
        DefinitionError: a flow may not.
    """
    check_task_name(name, kind="flow")
    found = [char for char in FORBIDDEN if char in name]
    if found:
        raise DefinitionError(
            f"The flow name {shorten(name, 60)!r} contains {' and '.join(repr(char) for char in found)};"
            f" the characters {' '.join(FORBIDDEN)} are not allowed. A hyphen or a dot serves as a separator."
        )
    return name


def slug(name: str) -> str:
    """`name` as a piece of a file name or URL: lower-case ASCII letters, digits and single hyphens.

    Accents are dropped. Names of which more than punctuation and accents is lost, or which are
    longer than 80 characters, get a checksum at the end, so that they stay apart. Never empty.
    """
    from unicodedata import normalize
    from zlib import crc32

    plain = normalize("NFKD", name)
    made = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[\u0300-\u036f]", "", plain).lower()).strip("-")
    lost = any(char.isalnum() and not char.isascii() for char in plain)
    if made and not lost and len(made) <= LONGEST_SLUG:
        return made
    checksum = f"{crc32(name.encode('utf-8', 'surrogatepass')):08x}"
    return f"{made[: LONGEST_SLUG - 9].strip('-')}-{checksum}".lstrip("-")


def render_name(template: str, values: Mapping[str, Any]) -> str:
    """Fill a run-name template from `values`, the parameters: `"{x}-{y[k]}-{z.a:%Y}"`.

    It is `str.format` with names only: fields start with a parameter and go on to attributes and
    items whose names have no leading underscore, so a template cannot reach into the program.
    Known secrets are masked, and the name is cut to 200 characters.

    Raises:
        DefinitionError: if the template is malformed or reaches for what it may not.
        ParameterError: if a parameter, attribute or item that it names is not there or cannot be
            formatted as asked.
    """
    return shorten(fill_template(template, values, what="run name template"), LONGEST_NAME)


def fill_template(template: str, values: Mapping[str, Any], *, what: str) -> str:
    """Fill a template by the rules of `render_name`, without cutting it; `what` is what messages call it."""
    if "{" not in template and "}" not in template:
        return mask(template)
    try:
        return mask(_NameFormatter(template, what).vformat(template, (), values))
    except (DefinitionError, ParameterError):
        raise
    except ValueError as error:
        # A malformed template and a format spec that does not suit a value are both a ValueError.
        raise DefinitionError(f"The {what} {template!r} cannot be used: {error}.") from error
    except Exception as error:
        raise ParameterError(
            f"The {what} {template!r} could not be filled: {type(error).__name__}: {error}."
        ) from error


class _NameFormatter(Formatter):
    def __init__(self, template: str, what: str) -> None:
        self.template = template
        self.what = what

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        # What string.Formatter itself is made of; the stubs do not know it.
        from _string import formatter_field_name_split  # type: ignore[import-not-found]

        first, rest = formatter_field_name_split(field_name)
        if not isinstance(first, str) or not first:
            raise DefinitionError(
                f"The {self.what} {self.template!r} has the field {{{field_name}}},"
                " but fields must start with a parameter's name, such as {x}."
            )
        if first not in kwargs:
            known = ", ".join(repr(name) for name in kwargs) or "none"
            raise ParameterError(
                f"The {self.what} {self.template!r} asks for {first!r},"
                f" which is no parameter. The parameters are: {known}."
            )
        value = kwargs[first]
        for is_attribute, key in rest:
            value = self._step(field_name, value, is_attribute, key)
        return value, first

    def _step(self, field_name: str, value: Any, is_attribute: bool, key: str | int) -> Any:
        if isinstance(key, str) and (key.startswith("_") or key in _FRAME_ATTRIBUTES):
            raise DefinitionError(
                f"The {self.what} {self.template!r} reaches for {key!r} in {{{field_name}}};"
                " only attributes and items whose names do not start with an underscore can be used."
            )
        try:
            return getattr(value, str(key)) if is_attribute else value[key]
        except (AttributeError, LookupError, TypeError) as error:
            what = "attribute" if is_attribute else "item"
            raise ParameterError(
                f"The {self.what} {self.template!r} asks for {{{field_name}}},"
                f" but {safe_repr(value, 60)} has no {what} {key!r}."
            ) from error
