"""What one server has while it runs; handed to every route."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from nadi.engine.clock import Clock
from nadi.engine.graph_shelf import GraphShelf
from nadi.engine.logins import LoginCodes, Tries
from nadi.engine.refusals import Refusals
from nadi.engine.task_figures import TaskShelf
from nadi.model.holders import Holder
from nadi.server.configuration import Configuration
from nadi.server.far_runs import FarRuns
from nadi.server.feed import Feed
from nadi.server.request_counts import Requests
from nadi.server.static import Pages
from nadi.services.inspecting import Inspector
from nadi.services.launching import Launcher
from nadi.services.running import Services
from nadi.services.stopping import Stopper
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.results import ResultStorage

#: Routes that are carried out at once; the store does one write at a time anyway.
THREADS = 16


@dataclass
class Context:
    """Made once at the start; its members live as long as the server."""

    store: Store
    home: Home
    #: Where result files are.
    results: ResultStorage
    configuration: Configuration
    #: This process.
    holder: Holder
    #: Tells of changes as they are committed.
    feed: Feed
    #: When the server started, Unix seconds.
    started: float
    #: Returns the description of the API as JSON.
    describe: Callable[[], bytes] = bytes
    #: The web UI.
    pages: Pages = field(default_factory=Pages)
    #: Where plain routes are carried out: in threads, as the store blocks.
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "nadi-route"))
    #: What it does beside answering.
    services: Services = field(default_factory=Services)
    #: What the file `token` of the home holds (`ensure_install_token`); who sends it is the owner. "" lets nobody in.
    install_token: str = ""
    #: The login links that are open.
    codes: LoginCodes = field(default_factory=LoginCodes)
    #: Who failed to log in how often.
    tries: Tries = field(default_factory=Tries)
    #: What was refused lately, so that a flood of it fills no disk.
    refusals: Refusals = field(default_factory=Refusals)
    #: Its answers, for `/metrics`.
    requests: Requests = field(default_factory=Requests)
    #: Notes which runs were recorded from afar.
    far: FarRuns = field(init=False)
    #: Launches processes for runs, and ends those of runs that are cancelled by force.
    launcher: Launcher = field(init=False)
    stopper: Stopper = field(init=False)
    #: Finds out what the code of flows says before a run.
    inspector: Inspector = field(init=False)
    #: Makes graphs of runs, and keeps those that change no more.
    graphs: GraphShelf = field(init=False)
    #: Tells which tasks of flows are slow, and keeps what it counted in finished runs.
    task_figures: TaskShelf = field(init=False)

    def __post_init__(self) -> None:
        clock = Clock()
        self.far = FarRuns(self.store.access)
        self.graphs = GraphShelf(self.store)
        self.task_figures = TaskShelf(self.store)
        self.launcher = Launcher(self.store, self.home, self.results, host=self.holder.host, clock=clock)
        self.inspector = Inspector(self.launcher)
        self.stopper = Stopper(self.store, self.home, holder=self.holder, clock=clock)
