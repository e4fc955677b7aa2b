"""Types that pydantic owns are read by pydantic, which is imported only when an annotation comes from it."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Any

from nadi.model.parameters.kind import Definitions, Kind, Mismatch, shown


def is_pydantic(annotation: Any) -> bool:
    """Whether a class or a piece of Annotated metadata belongs to pydantic."""
    if "pydantic" not in sys.modules:
        return False
    owner = annotation if isinstance(annotation, type) else type(annotation)
    return owner.__module__.partition(".")[0] == "pydantic" or (
        isinstance(annotation, type) and hasattr(annotation, "__pydantic_validator__")
    )


class Pydantic(Kind):
    """A pydantic model, dataclass or type, or a type with pydantic's Field beside it."""

    structured = True

    def __init__(self, annotation: Any, name: str) -> None:
        self.annotation = annotation
        self.name = name
        self.expects = f"what {name} accepts"
        self.exact = annotation if isinstance(annotation, type) else None
        self.hidden = "Secret" in name

    @cached_property
    def adapter(self) -> Any:
        from pydantic import TypeAdapter

        owns_config = hasattr(self.annotation, "__pydantic_validator__")
        return TypeAdapter(self.annotation, config=None if owns_config else {"arbitrary_types_allowed": True})

    def convert(self, value: Any) -> Any:
        from pydantic import ValidationError

        if self.exact is not None and isinstance(value, self.exact):
            return value
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
            got = "a value that is not shown" if self.hidden else shown(first["input"])
            expects = self.expects if not path else f"what {self.name} accepts there"
            raise Mismatch(f"{expects} ({first['msg']})", got, path) from None

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        schema: dict[str, Any] = self.adapter.json_schema(ref_template="#/$defs/{model}")
        for name, described in schema.pop("$defs", {}).items():
            definitions.schemas.setdefault(name, described)
        if schema.get("type") != "object" or "properties" not in schema:
            return schema
        if not definitions.known(self.annotation):
            definitions.schemas[definitions.name(self.annotation, self.annotation.__name__)] = schema
        return definitions.reference(self.annotation)
