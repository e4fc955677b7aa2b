-- How long finished runs are kept, and what deleted ones left and is not removed yet.

CREATE TABLE retention_rule (
    -- '' for every flow.
    flow TEXT NOT NULL,
    -- '' for every final state.
    state TEXT NOT NULL,
    -- Seconds after their end; NULL for ever.
    age REAL,
    PRIMARY KEY (flow, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE unswept_run (
    root TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_run_ended ON flow_run (flow, state, ended) WHERE id = root AND ended > 0;
CREATE INDEX tombstone_at ON tombstone (at);
