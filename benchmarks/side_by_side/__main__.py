"""Nadi beside Prefect and DBOS on this machine, each piece of work in turn; installs them below `.cache/`.

Only this machine's loopback is used, their telemetry is off, and every server that is started is ended.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine
from benchmarks.side_by_side.installing import install_dbos, install_prefect
from benchmarks.side_by_side.peers import Dbos, Nadi, Peer, Prefect, Seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/peers.py", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000, help="tasks in each piece of work (default 1000)")
    parser.add_argument("--times", type=int, default=3, help="how often each is done (default 3)")
    asked = parser.parse_args()
    notes = [install_prefect(), install_dbos()]
    described = machine.describe()
    print(f"Python {described['python']}, {described['cores']} cores ({described['processor']}), {described['date']}")
    print("\n".join(notes))
    print("Medians; ratios to Nadi. 'others': what other processes took of one core meanwhile.\n")
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        peers = [Nadi(Path(folder)), Prefect(Path(folder)), Dbos(Path(folder))]
        _line("", [peer.name for peer in peers], 0)
        try:
            Comparison(peers, asked.tasks, asked.times).run()
        finally:
            for peer in peers:
                peer.stop()


class Comparison:
    """Pieces of work, done by each peer in turn."""

    def __init__(self, peers: list[Peer], tasks: int, times: int) -> None:
        self.peers = peers
        self.tasks, self.times = tasks, times
        #: Task runs that each peer ran where it should have recorded them.
        self.ran = dict.fromkeys(peers, 0)

    def run(self) -> None:
        n, width = self.tasks, self.tasks // 10
        for peer in self.peers:
            peer.import_seconds()  # compiled code is kept from here on
        self._measure("import, s", "import", lambda peer: peer.import_seconds())
        self._measure("hello, no server, s", "hello", lambda peer: self._do(peer, 1, "hello").process)
        for peer in self.peers:
            peer.start()
        self._measure("hello, its server running, s", "hello", lambda peer: self._do(peer, 1, "hello").process)
        for what, word, shape in (
            (f"{n:,} calls", "calls", [n]),
            ("submit().result()", "submits", [n]),
            (f"map over {n:,}", "map", [n]),
            (f"10 layers of {width}", "layers", [width, 10]),
        ):
            self._measure(f"{what}, ms each", word, self._each(word, shape))
        others = machine.OthersShare()
        missing = [f"{self.ran[peer] - peer.recorded(self.ran[peer]):,}" for peer in self.peers]
        _line("task runs not recorded", missing, others.percent())
        _line("  of those that ran", [f"{self.ran[peer]:,}" for peer in self.peers], None)
        self._kill_and_go_on()

    def _each(self, word: str, shape: list[int]) -> Callable[[Peer], float]:
        return lambda peer: self._do(peer, self.tasks, word, *shape).inside / self.tasks * 1e3

    def _do(self, peer: Peer, tasks: int, word: str, *shape: int) -> Seconds:
        self.ran[peer] += tasks
        return peer.run([word, *map(str, shape)])

    def _measure(self, what: str, word: str, measure: Callable[[Peer], float]) -> None:
        able = [peer for peer in self.peers if word == "import" or word in peer.works]
        others = machine.OthersShare()
        found: dict[Peer, list[float]] = {peer: [] for peer in able}
        for _ in range(self.times):
            for peer in able:
                found[peer].append(measure(peer))
        ours = statistics.median(found[self.peers[0]])
        cells = []
        for peer in self.peers:
            if peer not in found:
                cells.append("-")
                continue
            value = statistics.median(found[peer])
            ratio = f" {value / ours:,.0f} x" if peer is not self.peers[0] else ""
            cells.append(f"{value:.3g}{ratio}")
        _line(what, cells, others.percent())

    def _kill_and_go_on(self) -> None:
        tasks = 100
        print(f"\nkill -9 in task {tasks // 2} of {tasks}, then what each offers to go on")
        said, again = [], []
        for peer in self.peers:
            ledger = peer.folder / "ledger"
            env = {"LEDGER": str(ledger)}
            work = ["slow", str(tasks)]
            peer.run(work, {**env, "KILL_AT": str(tasks // 2)}, killed=True)
            said.append(peer.state_after_kill())
            before = len(ledger.read_text().split())
            peer.go_on(work, env)
            ran = ledger.read_text().split()
            assert set(ran) == {str(number) for number in range(tasks)}
            again.append(str(len(set(ran[:before]) & set(ran[before:]))))
        _line("what it says of the run", said, None)
        _line("tasks that ran a second time", again, None)


def _line(what: str, cells: list[str], others: float | None) -> None:
    told = "others" if not what else ("" if others is None else f"{others:.0f} %")
    print(f"{what:<29}" + "".join(f"{cell:>14}" for cell in cells) + f"{told:>8}", flush=True)


if __name__ == "__main__":
    main()
