"""Identifiers: UUID version 7, so that ids sort by the time they were made (RFC 9562, section 5.7)."""

from __future__ import annotations

_MASK_12 = (1 << 12) - 1
_MASK_62 = (1 << 62) - 1


def uuid7(at: float, randomness: int) -> str:
    """Return the id made at Unix time `at` (seconds) from 74 bits of `randomness`.

    The 12 bits after the millisecond carry the fraction of the millisecond, as RFC 9562
    section 6.2 (method 3) allows, so that ids made in one process within a millisecond
    still sort in the order they were made, down to about 250 ns.
    """
    millis = at * 1000.0
    whole = int(millis)
    fraction = int((millis - whole) * 4096) & _MASK_12
    value = (whole << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | (randomness & _MASK_62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def time_of(id: str) -> float:
    """Return the Unix time at which an id was made, to the millisecond."""
    return int(id[:8] + id[9:13], 16) / 1000.0
