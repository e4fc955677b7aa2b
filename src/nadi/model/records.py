"""What a run tells: the records of the journal, and nothing else, move from a run to its store.

Each record names the run it belongs to by its *root* (the outermost flow run) and carries
the *token* of the claim under which it was written; a store applies it only while that
claim is the newest. Records are compact arrays in MessagePack: fields are only ever added
at the end, with a default, so that an older file can be read by a newer program.

Times are Unix seconds (UTC); ids are UUIDv7 text.
"""

from __future__ import annotations

import msgspec

from nadi.model.assets import AssetProperties, AssetRef
from nadi.model.results import ResultRef
from nadi.model.states import StateType


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What every record carries."""

    #: Id of the outermost flow run.
    root: str
    #: Token of the claim; grows with each claim of `root`.
    token: int
    at: float


class CallKey(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Which call this is; on resume an equal call is the same call (docs/explanation/durability.md)."""

    #: The caller's own record: id of a flow run or task run; "" for a root run.
    scope: str
    #: Key of the function: flow or task name and source file name.
    function: str
    #: Digest of the compiled code, with the helpers of the user's modules.
    code: bytes
    #: Digest of the inputs.
    inputs: bytes
    #: How surely the inputs were told apart: 0 content, 1 provenance, 2 position only.
    certainty: int
    #: Counts equal calls (same scope, function, code and inputs) in the order made, from 0.
    occurrence: int
    #: The call's position among all calls of its scope, from 0.
    position: int
    #: Parameter name to a short digest: says which input changed, when one did.
    each: dict[str, bytes] = {}
    #: Whether the call came from the thread that runs the scope itself.
    own_thread: bool = True


class FlowRunBegun(Record, tag="flow", frozen=True):
    """A flow run came to be, or a new attempt of it began (then `attempt` > 1)."""

    id: str
    flow: str
    name: str
    attempt: int
    state: StateType
    state_name: str
    #: Flow run that this is a subflow of; "" for a root run.
    parent: str = ""
    call: CallKey | None = None
    version: str = ""
    tags: tuple[str, ...] = ()
    #: The parameters as JSON, for people: shortened, secrets masked.
    parameters: bytes = b"{}"
    #: The parameters as they were, for resume.
    arguments: ResultRef | None = None
    #: Who runs it: id of the process that holds the claim.
    holder: str = ""
    #: JSON of a RunSource: entrypoint, folder, commit and so on; root runs only.
    source: bytes = b""
    description: str = ""


class FlowRunMoved(Record, tag="flow_state", frozen=True):
    """A flow run changed state."""

    id: str
    attempt: int
    was: StateType
    state: StateType
    state_name: str
    message: str = ""
    result: ResultRef | None = None
    #: How often the flow function was entered in this attempt.
    run_count: int = 1
    #: Traceback or other long text for people; the message is its first line.
    detail: str = ""
    #: A new display name, when the run's name is only known once it runs.
    name: str = ""
    #: Whether no process holds the run from now on: it is suspended, and free to be claimed.
    released: bool = False


class InputAsked(Record, tag="asked", frozen=True):
    """A flow run pauses until somebody answers; asked again under the same key, the newest question counts."""

    #: The flow run that pauses.
    id: str
    key: str
    #: JSON Schema of the answer; empty when none is wanted but that somebody says "go on".
    schema: bytes = b""
    description: str = ""
    #: JSON: values that a form starts with; empty when there are none.
    initial: bytes = b""
    #: Unix seconds until which it can be answered; 0 for ever.
    deadline: float = 0.0
    #: Whether nobody is asked any more: there was no answer in time.
    over: bool = False


class FlowRunSource(Record, tag="source", frozen=True):
    """Where a root run's code came from, when that was found out after the run began."""

    id: str
    source: bytes


class TaskRunBegun(Record, tag="task", frozen=True):
    """A task run was accepted (PENDING), or began at once (RUNNING), or began again under a new claim."""

    id: str
    #: Flow run that it belongs to.
    run: str
    task: str
    name: str
    call: CallKey
    attempt: int
    state: StateType
    #: The state of the record before, when it is taken up again on resume; `None` when it is new.
    was: StateType | None = None
    #: Index within a `.map`; -1 when not mapped.
    map_index: int = -1
    tags: tuple[str, ...] = ()
    #: Ids of the task runs and flow runs whose outcome it takes or waits for.
    upstream: tuple[str, ...] = ()
    #: Why it runs again although a record exists, on resume; "" otherwise.
    reason: str = ""


class CallReused(Record, tag="reused", frozen=True):
    """On resume, a finished task run or subflow run stood in for an equal call: it belongs to this attempt too."""

    id: str


class TaskRunMoved(Record, tag="task_state", frozen=True):
    """A task run changed state."""

    id: str
    attempt: int
    was: StateType
    state: StateType
    state_name: str = ""
    message: str = ""
    result: ResultRef | None = None
    #: Unix seconds before which it will not start, for AwaitingRetry; 0 otherwise.
    due: float = 0.0
    detail: str = ""


class TaskRunRolledBack(Record, tag="rolled_back", frozen=True):
    """What a completed task run did was undone: its result stands no more, and on resume it runs again."""

    id: str


class LogLine(Record, tag="log", frozen=True):
    """One log record."""

    run: str
    #: Task run that logged, "" for the flow itself.
    task: str
    level: int
    logger: str
    text: str


class ArtifactMade(Record, tag="artifact", frozen=True):
    """An artifact was made, or one made before was replaced (same id)."""

    id: str
    run: str
    task: str
    key: str
    #: markdown, table, link, image or progress.
    kind: str
    description: str
    #: JSON; a picture's bytes go to result storage and are named here.
    data: bytes


class MetricLogged(Record, tag="metric", frozen=True):
    """One value of a metric."""

    run: str
    task: str
    key: str
    value: float
    step: int


class Counted(Record, tag="dropped", frozen=True):
    """Something was left out, and how much: sampled log lines, or records dropped while nothing could be written."""

    run: str
    what: str
    count: int


class EventEmitted(Record, tag="event", frozen=True):
    """Code of a run said that something happened."""

    id: str
    run: str
    task: str
    event: str
    #: Unix seconds.
    occurred: float
    #: Labels, among them the id of what it happened to.
    resource: dict[str, str]
    related: tuple[dict[str, str], ...] = ()
    #: JSON object.
    payload: bytes = b"{}"
    #: Id of the event before it; "" for none.
    follows: str = ""


class AssetMaterialized(Record, tag="asset", frozen=True):
    """A task made an asset, or failed to."""

    id: str
    run: str
    task: str
    key: str
    succeeded: bool
    #: What it was made with; "" when nobody said.
    tool: str = ""
    #: Why it failed; "" when it did not.
    message: str = ""
    #: What it was made from; properties only where a task gave them.
    upstream: tuple[AssetRef, ...] = ()
    properties: AssetProperties = AssetProperties()


class AssetDescribed(Record, tag="asset_metadata", frozen=True):
    """A task told something of an asset that it makes."""

    run: str
    task: str
    key: str
    #: JSON object.
    metadata: bytes


AnyRecord = (
    FlowRunBegun
    | FlowRunMoved
    | InputAsked
    | FlowRunSource
    | TaskRunBegun
    | CallReused
    | TaskRunMoved
    | TaskRunRolledBack
    | LogLine
    | ArtifactMade
    | MetricLogged
    | Counted
    | EventEmitted
    | AssetMaterialized
    | AssetDescribed
)
