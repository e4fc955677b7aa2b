-- Events and assets.

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- "" outside of any run.
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    event TEXT NOT NULL,
    occurred REAL NOT NULL,
    -- JSON: an object, and an array of objects.
    resource TEXT NOT NULL,
    related TEXT NOT NULL,
    payload BLOB NOT NULL,
    follows TEXT NOT NULL
) STRICT;

CREATE INDEX event_root ON event (root, seq) WHERE root <> '';
CREATE INDEX event_below ON event (run, seq) WHERE run <> root;

CREATE TABLE asset (
    key TEXT PRIMARY KEY,
    -- JSON.
    properties TEXT NOT NULL,
    -- Of the last success and the last failure; 0 for never.
    materialized REAL NOT NULL,
    failed REAL NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX asset_seq ON asset (seq);

CREATE TABLE materialization (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    at REAL NOT NULL,
    succeeded INTEGER NOT NULL,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    tool TEXT NOT NULL,
    message TEXT NOT NULL,
    -- JSON array of keys.
    upstream TEXT NOT NULL
) STRICT;

CREATE INDEX materialization_key ON materialization (key, seq);
CREATE INDEX materialization_task ON materialization (task, seq);

-- What a task run told of an asset, in the order told.
CREATE TABLE asset_metadata (
    seq INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    key TEXT NOT NULL,
    -- JSON object.
    metadata BLOB NOT NULL
) STRICT;

CREATE INDEX asset_metadata_task ON asset_metadata (task, key, seq);

-- What each asset was made from, the last time that it was made.
CREATE TABLE asset_edge (
    downstream TEXT NOT NULL,
    upstream TEXT NOT NULL,
    PRIMARY KEY (downstream, upstream)
) STRICT, WITHOUT ROWID;

CREATE INDEX asset_edge_upstream ON asset_edge (upstream, downstream);
