-- The first schema. Ids are UUIDv7 text, so that rows and index entries are appended; times are Unix seconds; `seq`
-- is the store's change counter. Written for SQLite and translated for PostgreSQL (`storage/schema.py`).

CREATE TABLE migration (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

-- One row: what the database is.
CREATE TABLE meta (
    id TEXT NOT NULL,
    signing_key BLOB NOT NULL,
    schema_version INTEGER NOT NULL,
    -- Programs whose own schema version is smaller than this must not write.
    oldest_writer INTEGER NOT NULL
) STRICT;

-- One row: the change counter. In PostgreSQL a row for each transaction that changed something, its last number; those
-- that are not needed any more are removed now and then.
CREATE TABLE change (
    seq INTEGER NOT NULL
) STRICT;

-- only: postgres
-- A random number by which a transaction knows its own row again.
ALTER TABLE change ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
CREATE INDEX change_seq ON change (seq);

-- only: postgres
-- One row: what is added to change numbers, so that they go on growing after the database moved to another server.
CREATE TABLE change_offset (
    n INTEGER NOT NULL
);
INSERT INTO change_offset (n) VALUES (0);

CREATE TABLE writer (
    id TEXT PRIMARY KEY,
    watermark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_run (
    id TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL,
    parent TEXT NOT NULL,
    flow TEXT NOT NULL,
    name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    token INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_name TEXT NOT NULL,
    message TEXT NOT NULL,
    detail TEXT NOT NULL,
    state_at REAL NOT NULL,
    created REAL NOT NULL,
    started REAL NOT NULL,
    ended REAL NOT NULL,
    -- JSON array.
    tags TEXT NOT NULL,
    version TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON, for people.
    parameters BLOB NOT NULL,
    -- MessagePack of a ResultRef.
    arguments BLOB,
    holder TEXT NOT NULL,
    -- JSON.
    source BLOB NOT NULL,
    run_count INTEGER NOT NULL,
    -- MessagePack of a ResultRef.
    result BLOB,
    -- MessagePack of a CallKey; subflow runs only.
    call BLOB,
    -- Token of the newest claim in which the call was made.
    seen INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

CREATE INDEX flow_run_roots ON flow_run (id) WHERE id = root;
CREATE INDEX flow_run_below ON flow_run (root, id) WHERE id <> root;
CREATE INDEX flow_run_flow ON flow_run (flow, id);
CREATE INDEX flow_run_name ON flow_run (name, id);
CREATE INDEX flow_run_seq ON flow_run (seq);
-- Runs that are not in good order are few, and asked for.
CREATE INDEX flow_run_state ON flow_run (state, id) WHERE state <> 'COMPLETED';
CREATE INDEX flow_run_holder ON flow_run (holder, id) WHERE holder <> '';

CREATE TABLE task_run (
    id TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    token INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_name TEXT NOT NULL,
    message TEXT NOT NULL,
    detail TEXT NOT NULL,
    state_at REAL NOT NULL,
    created REAL NOT NULL,
    started REAL NOT NULL,
    ended REAL NOT NULL,
    due REAL NOT NULL,
    map_index INTEGER NOT NULL,
    -- JSON arrays.
    tags TEXT NOT NULL,
    upstream TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- MessagePack of a ResultRef, and of a CallKey.
    result BLOB,
    call BLOB NOT NULL,
    -- Token of the newest claim in which the call was made.
    seen INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

CREATE INDEX task_run_root ON task_run (root, id);
CREATE INDEX task_run_seq ON task_run (root, seq);
-- Most runs have no subflows; those pay nothing for this one.
CREATE INDEX task_run_below ON task_run (run, id) WHERE run <> root;
CREATE INDEX task_run_state ON task_run (root, state, id) WHERE state <> 'COMPLETED';

-- Attempts that were followed by another; the newest one is the row of the run itself.
CREATE TABLE attempt (
    run TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    root TEXT NOT NULL,
    token INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_name TEXT NOT NULL,
    message TEXT NOT NULL,
    started REAL NOT NULL,
    ended REAL NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (run, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_root ON attempt (root);

CREATE TABLE task_count (
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (run, state)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_count_root ON task_count (root);

CREATE TABLE dropped (
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    what TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (run, what)
) STRICT, WITHOUT ROWID;

CREATE INDEX dropped_root ON dropped (root);

CREATE TABLE superseded (
    root TEXT NOT NULL,
    seq INTEGER NOT NULL,
    run TEXT NOT NULL,
    token INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_name TEXT NOT NULL,
    message TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (root, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstone (
    root TEXT PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    at REAL NOT NULL,
    level INTEGER NOT NULL,
    logger TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE INDEX log_root ON log (root, seq);
CREATE INDEX log_task ON log (root, task, seq) WHERE task <> '';
CREATE INDEX log_below ON log (root, run, seq) WHERE run <> root;
CREATE INDEX log_warnings ON log (root, seq) WHERE level >= 30;

CREATE TABLE metric (
    seq INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    key TEXT NOT NULL,
    -- NULL stands for "not a number", which SQLite cannot keep.
    value REAL,
    step INTEGER NOT NULL,
    at REAL NOT NULL
) STRICT;

CREATE INDEX metric_root ON metric (root, seq);
CREATE INDEX metric_key ON metric (root, key, seq);

CREATE TABLE artifact (
    id TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    data BLOB NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL
) STRICT;

CREATE INDEX artifact_root ON artifact (root, id);
CREATE INDEX artifact_key ON artifact (key, id) WHERE key <> '';

CREATE TABLE variable (
    name TEXT PRIMARY KEY,
    -- JSON.
    value BLOB NOT NULL,
    -- JSON array.
    tags TEXT NOT NULL,
    updated REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
    run TEXT NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (run, kind)
) STRICT, WITHOUT ROWID;
