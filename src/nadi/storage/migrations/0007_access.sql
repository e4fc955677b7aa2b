-- Users, keys, sessions, the audit log, answers that were given once, and which runs were recorded from afar.

CREATE TABLE account (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    -- Salted hash; '' for who has only keys.
    password TEXT NOT NULL,
    created REAL NOT NULL,
    disabled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    account TEXT NOT NULL,
    digest BLOB NOT NULL,
    -- JSON array; empty for all that the account may.
    scopes TEXT NOT NULL,
    created REAL NOT NULL,
    -- 0 for never.
    expires REAL NOT NULL,
    used REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_account ON api_key (account);

CREATE TABLE browser_session (
    digest BLOB PRIMARY KEY,
    -- '' for the person whose server it is.
    account TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    used REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX browser_session_account ON browser_session (account, created);
CREATE INDEX browser_session_expires ON browser_session (expires);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    how TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    status INTEGER NOT NULL,
    -- JSON object.
    detail BLOB NOT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at, seq);
CREATE INDEX audit_who ON audit (who, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_subject ON audit (subject, seq);

-- Idempotency keys, with the answers that were given.
CREATE TABLE given_answer (
    key TEXT PRIMARY KEY,
    -- Digest of the request.
    request BLOB NOT NULL,
    -- NULL while it is being carried out.
    answer BLOB,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX given_answer_at ON given_answer (at);

-- Root runs that somebody recorded through a server, without having the database.
CREATE TABLE far_run (
    root TEXT PRIMARY KEY,
    -- Who did so first.
    who TEXT NOT NULL,
    -- When it was last noted.
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;
