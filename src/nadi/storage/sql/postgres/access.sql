-- Users, keys, sessions, the audit log, answers that were given once, and runs that were recorded from afar, for
-- PostgreSQL.

-- name: users
SELECT name, role, password, created, disabled FROM account WHERE {where} ORDER BY name;

-- name: add_user
INSERT INTO account (name, role, password, created, disabled) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name) DO NOTHING RETURNING name;

-- name: change_user
-- NULL leaves a column as it is; the last one is what the hash has to be.
UPDATE account SET
    role = coalesce(%(role)s::text, role), password = coalesce(%(password)s::text, password),
    disabled = coalesce(%(disabled)s::bigint, disabled)
 WHERE name = %(name)s AND (%(was)s::text IS NULL OR password = %(was)s::text)
RETURNING name, role, password, created, disabled;

-- name: remove_user
DELETE FROM account WHERE name = %s RETURNING name;

-- name: remove_keys_of
DELETE FROM api_key WHERE account = %s;

-- name: keys
SELECT id, name, account, digest, scopes, created, expires, used FROM api_key
 WHERE {where} ORDER BY created DESC, id DESC;

-- name: put_key
-- Locks the account, so that it is not removed at the same moment and leaves the key behind.
INSERT INTO api_key (id, name, account, digest, scopes, created, expires, used)
SELECT %s, %s, %s, %s::bytea, %s, %s::float8, %s::float8, %s::float8 FROM account WHERE name = %s FOR SHARE
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: note_use
UPDATE api_key SET used = %s WHERE id = %s;

-- name: remove_key
DELETE FROM api_key WHERE id = %s RETURNING id;

-- name: session
SELECT digest, account, created, expires, used FROM browser_session WHERE digest = %s;

-- name: may_log_in
SELECT name FROM account WHERE name = %s AND password = %s AND disabled = 0 FOR SHARE;

-- name: forget_sessions
DELETE FROM browser_session WHERE digest IN
    (SELECT digest FROM browser_session WHERE expires <= %s FOR UPDATE SKIP LOCKED);

-- name: put_session
INSERT INTO browser_session (digest, account, created, expires, used) VALUES (%s, %s, %s, %s, %s);

-- name: end_oldest_sessions
DELETE FROM browser_session WHERE digest IN
    (SELECT digest FROM browser_session WHERE account = %s ORDER BY created DESC, digest OFFSET %s FOR UPDATE SKIP LOCKED);

-- name: note_session
UPDATE browser_session SET used = %s WHERE digest = %s;

-- name: end_session
DELETE FROM browser_session WHERE digest = %s RETURNING digest;

-- name: end_sessions_of
DELETE FROM browser_session WHERE digest IN
    (SELECT digest FROM browser_session WHERE account = %s ORDER BY created DESC, digest FOR UPDATE) RETURNING digest;

-- name: note
INSERT INTO audit (at, who, how, origin, action, subject, status, detail) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING seq;

-- name: amend
UPDATE audit SET detail = %s WHERE seq = %s;

-- name: audit
SELECT seq, at, who, how, origin, action, subject, status, detail FROM audit
 WHERE {where} ORDER BY seq DESC LIMIT %s;

-- name: forget_audit
DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < %s ORDER BY at, seq LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING seq;

-- name: forget_answers
DELETE FROM given_answer WHERE key IN (SELECT key FROM given_answer WHERE at < %s FOR UPDATE SKIP LOCKED);

-- name: take_answer_key
INSERT INTO given_answer (key, request, answer, at) VALUES (%s, %s, NULL, %s) ON CONFLICT (key) DO NOTHING RETURNING key;

-- name: given_answer
SELECT request, answer FROM given_answer WHERE key = %s;

-- name: keep_answer
UPDATE given_answer SET answer = %s WHERE key = %s;

-- name: forget_answer
DELETE FROM given_answer WHERE key = %s;

-- name: note_far
-- In the order of ids, so that none of those who note wait for each other in a circle.
INSERT INTO far_run (root, who, at) SELECT root, %s, %s::float8 FROM unnest(%s::text[]) AS root ORDER BY root
ON CONFLICT (root) DO UPDATE SET at = greatest(far_run.at, excluded.at);

-- name: far_recorder
SELECT who FROM far_run WHERE root = %s;
