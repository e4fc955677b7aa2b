-- Deployments, their schedules and backfills, and the work that workers take.

CREATE TABLE deployment (
    name TEXT PRIMARY KEY,
    -- Number of the version in force, and the greatest number given.
    version INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    -- Of the version in force: its flow, and how many runs at once it allows; 0 for no limit.
    flow TEXT NOT NULL,
    concurrency INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX deployment_flow ON deployment (flow, name);

CREATE TABLE deployment_version (
    deployment TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- JSON of the DeploymentVersion.
    content BLOB NOT NULL,
    PRIMARY KEY (deployment, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
    deployment TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Number of the version in force.
    version INTEGER NOT NULL,
    -- JSON of the Schedule.
    content BLOB NOT NULL,
    -- 1 when it is this very schedule that is paused.
    paused INTEGER NOT NULL,
    -- 0 when it is paused, or its deployment.
    active INTEGER NOT NULL,
    cursor REAL NOT NULL,
    next REAL NOT NULL,
    PRIMARY KEY (deployment, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_next ON schedule (next, deployment, name) WHERE active = 1 AND next > 0;

-- One row at most for each instant of a schedule, and of each of its backfills; it outlives schedule and run.
CREATE TABLE tick (
    deployment TEXT NOT NULL,
    instant REAL NOT NULL,
    schedule TEXT NOT NULL,
    -- '' for a tick of the schedule itself.
    backfill TEXT NOT NULL,
    outcome TEXT NOT NULL,
    run TEXT NOT NULL,
    note TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (deployment, instant, schedule, backfill)
) STRICT, WITHOUT ROWID;

CREATE INDEX tick_backfill ON tick (backfill, instant) WHERE backfill <> '';

CREATE TABLE backfill (
    id TEXT PRIMARY KEY,
    deployment TEXT NOT NULL,
    state TEXT NOT NULL,
    -- JSON of the Backfill as it was made; what changes stands in the columns.
    content BLOB NOT NULL,
    decided INTEGER NOT NULL,
    position REAL NOT NULL,
    ended REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX backfill_deployment ON backfill (deployment, id);
CREATE INDEX backfill_state ON backfill (state, id);

-- One row for each root run that workers start. What its run says is repeated in `open`, in the same transaction: 0 once
-- that has ended for good, 2 while it is suspended and waits for an answer rather than for a worker, 1 otherwise.
CREATE TABLE work (
    run TEXT PRIMARY KEY,
    deployment TEXT NOT NULL,
    version INTEGER NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    due REAL NOT NULL,
    instant REAL NOT NULL,
    schedule TEXT NOT NULL,
    backfill TEXT NOT NULL,
    host TEXT NOT NULL,
    key TEXT NOT NULL,
    alone INTEGER NOT NULL,
    crash_policy TEXT NOT NULL,
    most_crashes INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    -- Holder of the worker that has it, or of another process that claimed its run; '' while nobody has it.
    worker TEXT NOT NULL,
    assigned REAL NOT NULL,
    open INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The line before each queue, with all that tells whose turn it is: rows that are passed over are not read.
CREATE INDEX work_line ON work (queue, priority DESC, due, run, deployment, host, alone) WHERE open = 1 AND worker = '';
CREATE INDEX work_due ON work (due) WHERE open = 1 AND worker = '';
CREATE INDEX work_taken ON work (worker, run, deployment, queue) WHERE open = 1 AND worker <> '';
CREATE INDEX work_open ON work (deployment, run, worker) WHERE open > 0;
CREATE INDEX work_deployment ON work (deployment, run);
CREATE INDEX work_schedule ON work (deployment, schedule, run) WHERE schedule <> '';
CREATE INDEX work_backfill ON work (backfill, run) WHERE backfill <> '';
CREATE UNIQUE INDEX work_key ON work (deployment, key) WHERE key <> '';

-- Queues that somebody changed; all others are like each other.
CREATE TABLE work_queue (
    name TEXT PRIMARY KEY,
    paused INTEGER NOT NULL,
    -- NULL for no limit.
    slots INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
    -- Text of the Holder.
    holder TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- JSON of the WorkerSeen.
    content BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX worker_name ON worker (name, holder);
