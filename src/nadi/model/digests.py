"""BLAKE2 without the rest of `hashlib`, which loads OpenSSL: a tenth of what `import nadi` may take."""

from __future__ import annotations

try:
    # Where `hashlib` takes it from too, in every CPython that we support.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

__all__ = ["blake2b"]
