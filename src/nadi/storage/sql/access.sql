-- Users, keys, sessions, the audit log, answers that were given once, and runs that were recorded from afar.

-- name: users
SELECT name, role, password, created, disabled FROM account WHERE {where} ORDER BY name;

-- name: add_user
INSERT INTO account (name, role, password, created, disabled) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name) DO NOTHING RETURNING name;

-- name: change_user
-- NULL leaves a column as it is; the last one is what the hash has to be.
UPDATE account SET role = coalesce(?2, role), password = coalesce(?3, password), disabled = coalesce(?4, disabled)
 WHERE name = ?1 AND (?5 IS NULL OR password = ?5)
RETURNING name, role, password, created, disabled;

-- name: remove_user
DELETE FROM account WHERE name = ? RETURNING name;

-- name: remove_keys_of
DELETE FROM api_key WHERE account = ?;

-- name: keys
SELECT id, name, account, digest, scopes, created, expires, used FROM api_key
 WHERE {where} ORDER BY created DESC, id DESC;

-- name: put_key
INSERT INTO api_key (id, name, account, digest, scopes, created, expires, used)
SELECT ?1, ?2, name, ?4, ?5, ?6, ?7, ?8 FROM account WHERE name = ?3
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: note_use
UPDATE api_key SET used = ?2 WHERE id = ?1;

-- name: remove_key
DELETE FROM api_key WHERE id = ? RETURNING id;

-- name: session
SELECT digest, account, created, expires, used FROM browser_session WHERE digest = ?;

-- name: may_log_in
SELECT name FROM account WHERE name = ? AND password = ? AND disabled = 0;

-- name: forget_sessions
DELETE FROM browser_session WHERE expires <= ?;

-- name: put_session
INSERT INTO browser_session (digest, account, created, expires, used) VALUES (?, ?, ?, ?, ?);

-- name: end_oldest_sessions
DELETE FROM browser_session WHERE digest IN
    (SELECT digest FROM browser_session WHERE account = ? ORDER BY created DESC, digest LIMIT -1 OFFSET ?);

-- name: note_session
UPDATE browser_session SET used = ?2 WHERE digest = ?1;

-- name: end_session
DELETE FROM browser_session WHERE digest = ? RETURNING digest;

-- name: end_sessions_of
DELETE FROM browser_session WHERE account = ? RETURNING digest;

-- name: note
INSERT INTO audit (at, who, how, origin, action, subject, status, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq;

-- name: amend
UPDATE audit SET detail = ?2 WHERE seq = ?1;

-- name: audit
SELECT seq, at, who, how, origin, action, subject, status, detail FROM audit
 WHERE {where} ORDER BY seq DESC LIMIT ?;

-- name: forget_audit
DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < ? ORDER BY at, seq LIMIT ?) RETURNING seq;

-- name: forget_answers
DELETE FROM given_answer WHERE at < ?;

-- name: take_answer_key
INSERT INTO given_answer (key, request, answer, at) VALUES (?, ?, NULL, ?) ON CONFLICT (key) DO NOTHING RETURNING key;

-- name: given_answer
SELECT request, answer FROM given_answer WHERE key = ?;

-- name: keep_answer
UPDATE given_answer SET answer = ?2 WHERE key = ?1;

-- name: forget_answer
DELETE FROM given_answer WHERE key = ?;

-- name: note_far
INSERT INTO far_run (root, who, at) SELECT value, ?2, ?3 FROM json_each(?1) WHERE true
ON CONFLICT (root) DO UPDATE SET at = max(at, excluded.at);

-- name: far_recorder
SELECT who FROM far_run WHERE root = ?;
