-- Limits, and those who hold their slots or wait for them. How many slots are taken is counted nowhere: it is the sum
-- over the claims that hold some.

CREATE TABLE slot_limit (
    name TEXT PRIMARY KEY,
    slots INTEGER NOT NULL,
    -- Slots a second that come back to a rate.
    decay REAL NOT NULL,
    -- How full the bucket of the rate was, and when.
    level REAL NOT NULL,
    level_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slot_claim (
    -- Place in the line: the order in which they came.
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- JSON array: the limits of which it takes slots.
    names TEXT NOT NULL,
    slots INTEGER NOT NULL,
    -- 1 holds, 0 waits.
    held INTEGER NOT NULL,
    holder TEXT NOT NULL,
    label TEXT NOT NULL,
    root TEXT NOT NULL,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    term REAL NOT NULL,
    renewals INTEGER NOT NULL,
    at REAL NOT NULL
) STRICT;

CREATE INDEX slot_claim_line ON slot_claim (place) WHERE held = 0;
CREATE INDEX slot_claim_root ON slot_claim (root, place) WHERE root <> '';

-- One row for each limit that a claim names.
CREATE TABLE slot_claim_name (
    name TEXT NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (name, place)
) STRICT, WITHOUT ROWID;

-- One row: grows when somebody was let in, or a claim was ended.
CREATE TABLE slot_version (
    n INTEGER NOT NULL
) STRICT;

INSERT INTO slot_version (n) VALUES (0);
