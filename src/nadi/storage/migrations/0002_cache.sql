-- Cached results, and result files that nothing refers to any more.

CREATE TABLE cache_entry (
    key TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    task TEXT NOT NULL,
    -- MessagePack of a ResultRef.
    result BLOB NOT NULL,
    -- Key of the result file, and the run that it belongs to; each '' where there is none.
    file TEXT NOT NULL,
    owner TEXT NOT NULL,
    root TEXT NOT NULL,
    token INTEGER NOT NULL,
    run TEXT NOT NULL,
    task_run TEXT NOT NULL,
    name TEXT NOT NULL,
    created REAL NOT NULL,
    -- 0 for never.
    expires REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX cache_entry_seq ON cache_entry (seq);
CREATE INDEX cache_entry_task ON cache_entry (task, seq);
CREATE INDEX cache_entry_expires ON cache_entry (expires) WHERE expires > 0;
CREATE INDEX cache_entry_file ON cache_entry (file) WHERE file <> '';
CREATE INDEX cache_entry_owner ON cache_entry (owner) WHERE owner <> '';

-- Files that records name although they are no files of their own run: results taken from the cache, and files under
-- names of the user's.
CREATE TABLE file_use (
    file TEXT NOT NULL,
    root TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (file, root)
) STRICT, WITHOUT ROWID;

CREATE INDEX file_use_root ON file_use (root);
CREATE INDEX file_use_owner ON file_use (owner) WHERE owner <> '';

-- Files of no run that is there, since when the last known name is gone.
CREATE TABLE released_file (
    file TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX released_file_at ON released_file (at);

-- Deleted runs whose files are not collected yet.
CREATE TABLE uncollected_run (
    root TEXT PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX uncollected_run_at ON uncollected_run (at, root);

INSERT INTO uncollected_run (root, at) SELECT root, at FROM tombstone;
