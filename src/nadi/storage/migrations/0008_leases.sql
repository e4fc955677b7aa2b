-- Leases of processes that other machines cannot look up.

CREATE TABLE lease (
    -- Text of the Holder.
    holder TEXT PRIMARY KEY,
    -- Grows with each renewal.
    renewals INTEGER NOT NULL,
    -- Seconds of silence after which the process counts as gone.
    term REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Change number of what was last said of an artifact, so that those who follow a run learn of it; 0 for what was
-- said before there were such numbers.
ALTER TABLE artifact ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;

CREATE INDEX artifact_seq ON artifact (root, seq);
