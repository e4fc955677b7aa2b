"""What one server remembers of logins: the one-time links that it gave out, and who tried too often."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from nadi.engine.credentials import digest_of, new_secret

#: Seconds until a login link that was not used is worth nothing.
LINK_TERM = 300.0
#: The most login links that are open at once; one more ends the oldest.
MOST_LINKS = 20
#: Failed logins that a name or an address has at once, and how long it takes until one comes back.
TRIES = 10
TRY_RETURNS = 60.0
#: The most names and addresses that are remembered; beyond, those that were quiet longest are forgotten.
MOST_REMEMBERED = 10_000


class LoginCodes:
    """Codes of login links: each opens one session, once, within five minutes. Kept as digests, in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: Until when each is worth something, by its digest; looked up by that, so time tells nothing of a code.
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def make(self, now: float) -> str:
        """Return a new code.

        Args:
            now: Seconds on a clock that never goes back.
        """
        code = new_secret()
        with self._lock:
            self._ends[digest_of(code)] = now + LINK_TERM
            while len(self._ends) > MOST_LINKS:
                self._ends.popitem(last=False)
        return code

    def take(self, code: str, now: float) -> bool:
        """Use a code up; `False` when there is none such, it was used, or its time is over."""
        with self._lock:
            return self._ends.pop(digest_of(code), now) > now


class Tries:
    """Who failed to log in how often: by name and by address, in this process, in bounded space.

    Each has a number of tries, which come back one a minute. A try counts before the password is looked at, so that
    many at once pass no limit, and is given back when the password was right.
    """

    def __init__(self, *, tries: int = TRIES, returns: float = TRY_RETURNS, most: int = MOST_REMEMBERED) -> None:
        self._tries = tries
        self._returns = returns
        self._most = most
        self._lock = Lock()
        #: By name or address: how many tries are used up, and as of when.
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, keys: Iterable[str], now: float) -> float:
        """Use up one try of each of these, or none at all.

        Returns:
            0 when it may go on; else the seconds until the next try.
        """
        keys = tuple(keys)
        with self._lock:
            used = {key: self._standing(key, now) for key in keys}
            over = max(used.values(), default=0.0) + 1.0 - self._tries
            if over > 0:
                return over * self._returns
            for key in keys:
                self._used[key] = (used[key] + 1.0, now)
                self._used.move_to_end(key)
            while len(self._used) > self._most:
                self._used.popitem(last=False)
            return 0.0

    def give_back(self, keys: Iterable[str], now: float) -> None:
        """Give back a try that was no failure."""
        with self._lock:
            for key in keys:
                left = self._standing(key, now) - 1.0
                if left > 0:
                    self._used[key] = (left, now)
                else:
                    self._used.pop(key, None)

    def __len__(self) -> int:
        return len(self._used)

    def _standing(self, key: str, now: float) -> float:
        used, at = self._used.get(key, (0.0, now))
        return max(0.0, used - max(0.0, now - at) / self._returns)


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the first 64 bits, which one customer has for free."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
