"""What a process that a server launches may load: what was recorded by those who have the database, and no more.

Who may record through a server says which code a run is of and what its tasks returned, which is unpickled where it is
loaded. So that nobody takes over the server's machine in this way, no process is launched there for such a run, and one
that is launched for another run loads nothing of such runs. What is looked at is read first, and asked about then: the
server notes who recorded a run before it applies what they said.
"""

from __future__ import annotations

import os

from nadi.exceptions import NotResumable
from nadi.model.names import told_for_shell
from nadi.model.runs import FlowRun
from nadi.model.text import one_line
from nadi.storage.contract import Store

#: Set in the environment of launched processes, and so of all that they start.
MARK = "NADI_LAUNCHED"


def is_launched(store: Store) -> bool:
    """Tell whether this process was launched by a server, and uses a store in which such a server may record."""
    return bool(os.environ.get(MARK)) and not store.url.startswith(("http://", "https://"))


def check_near(store: Store, run: FlowRun) -> None:
    """Raise if somebody recorded a run from afar; to be called when it has been read.

    Raises:
        NotResumable: it is so.
    """
    who = store.access.far_recorder(run.root)
    if who:
        name = told_for_shell(run.name, run.id)
        raise NotResumable(
            f"Run {name} cannot be continued from here: {one_line(who, 80)} recorded it from afar, and no process is"
            f" launched for such a run. Where its code is, type: nadi resume {name}"
        )


def check_loadable(store: Store, run: FlowRun) -> None:
    """Raise if this process must not load what a run recorded; to be called when it has been read.

    Raises:
        NotResumable: it was launched, and somebody recorded the run from afar.
    """
    if is_launched(store):
        check_near(store, run)


def may_load(store: Store, root: str) -> bool:
    """Tell whether this process may load what a root run kept; to be called when that has been read."""
    return not is_launched(store) or (store.flow_run(root) is not None and not store.access.far_recorder(root))
