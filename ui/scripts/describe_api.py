"""Print the description of the API as the web UI needs it, which is without the calls between programs."""

from __future__ import annotations

import json
import sys

import msgspec

from nadi.server.api import endpoints
from nadi.server.openapi import document

#: What only other Nadis call.
BETWEEN_PROGRAMS = ("/api/store", "/api/journal", "/api/results")


def main() -> None:
    """Write JSON to standard output."""
    described = json.loads(msgspec.json.encode(document(endpoints(), base_path="")))
    described["paths"] = {
        path: told for path, told in described["paths"].items() if not path.startswith(BETWEEN_PROGRAMS)
    }
    used, text = set[str](), json.dumps(described["paths"])
    schemas = described["components"]["schemas"]
    while more := {name for name in schemas if f'schemas/{name}"' in text} - used:
        used |= more
        text = json.dumps([schemas[name] for name in more])
    described["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in used}
    json.dump(described, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
