-- Counts and search terms, kept when runs change: what people look at first.

-- Root runs by flow, hour in which they were made (Unix seconds) and the state that they are in; under the flow '' all
-- flows together. `microseconds` is what finished ones took. Where several writers count at once, each does so in a
-- part of its own, and a reader sums the parts: no writer waits for another. A number may be below zero in a part.
CREATE TABLE run_count (
    flow TEXT NOT NULL,
    hour INTEGER NOT NULL,
    state TEXT NOT NULL,
    part INTEGER NOT NULL,
    n INTEGER NOT NULL,
    microseconds INTEGER NOT NULL,
    PRIMARY KEY (flow, hour, state, part)
) STRICT, WITHOUT ROWID;

-- The same over all hours.
CREATE TABLE flow_count (
    flow TEXT NOT NULL,
    state TEXT NOT NULL,
    part INTEGER NOT NULL,
    n INTEGER NOT NULL,
    microseconds INTEGER NOT NULL,
    PRIMARY KEY (flow, state, part)
) STRICT, WITHOUT ROWID;

-- Tags and values of parameters of root runs; `storage/terms.py` makes them.
CREATE TABLE run_term (
    term TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (term, id)
) STRICT, WITHOUT ROWID;

-- Change number of the deletion; 0 for those of before it was kept.
ALTER TABLE tombstone ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tombstone_seq ON tombstone (seq) WHERE seq > 0;

-- Narrow enough to look through for a text. `root` is in them because SQLite would look it up in each row otherwise.
DROP INDEX flow_run_roots;
CREATE INDEX flow_run_roots ON flow_run (id, flow, name, root) WHERE id = root;
CREATE INDEX flow_run_roots_of_flow ON flow_run (flow, id, name, root) WHERE id = root;
