"""Long keys: an entry of an index of PostgreSQL has room for 2,704 bytes, and no key may be taken for another one."""

from __future__ import annotations

from nadi.model.digests import blake2b

#: Characters of a key that are kept as they are; each may take four bytes.
LONGEST_KEY = 600
_SHOWN = 500


def kept_key(key: str) -> str:
    """Return a key as it is kept: a long one is cut and ends in the digest of the whole."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[:_SHOWN]}…{blake2b(key.encode(errors='surrogatepass'), digest_size=16).hexdigest()}"


def kept_file(file: str) -> str:
    """Return the key of a result file as it is noted for collection: a long one is not, and is never collected."""
    return file if len(file) <= LONGEST_KEY else ""
