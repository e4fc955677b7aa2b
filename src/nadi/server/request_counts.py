"""How often and how fast this server answered, by route."""

from __future__ import annotations

#: Upper ends, in seconds, of the buckets that answers are counted in.
BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Requests:
    """Counts the answers of this server, by route; never by path, which anybody can make up."""

    def __init__(self) -> None:
        #: By method, route and status: how many, and seconds all together.
        self.answers: dict[tuple[str, str, int], list[float]] = {}
        #: By method and route: how many took at most so long, for each of `BUCKETS` and all.
        self.buckets: dict[tuple[str, str], list[int]] = {}
        self.seconds: dict[tuple[str, str], float] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.answers.setdefault((method, route, status), [0.0])[0] += 1
        counts = self.buckets.setdefault((method, route), [0] * (len(BUCKETS) + 1))
        for place, bound in enumerate(BUCKETS):
            if seconds <= bound:
                counts[place] += 1
        counts[-1] += 1
        self.seconds[method, route] = self.seconds.get((method, route), 0.0) + seconds
