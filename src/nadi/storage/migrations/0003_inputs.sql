-- Pauses, their answers, and inputs sent to runs.

CREATE TABLE pause (
    run TEXT NOT NULL,
    key TEXT NOT NULL,
    root TEXT NOT NULL,
    at REAL NOT NULL,
    -- 0 for none.
    deadline REAL NOT NULL,
    -- JSON Schema; empty when no input is wanted.
    schema BLOB NOT NULL,
    description TEXT NOT NULL,
    -- JSON; empty for none.
    initial BLOB NOT NULL,
    -- JSON; NULL while nobody has answered.
    answer BLOB,
    by TEXT NOT NULL,
    answered REAL NOT NULL,
    refused TEXT NOT NULL,
    -- 1 when the run gave up waiting.
    over INTEGER NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX pause_root ON pause (root);
CREATE INDEX pause_deadline ON pause (deadline) WHERE answer IS NULL AND deadline > 0;

CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    keyset TEXT NOT NULL,
    -- JSON.
    value BLOB NOT NULL,
    sender TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

CREATE INDEX message_run ON message (run, keyset, seq);
CREATE INDEX message_root ON message (root);
