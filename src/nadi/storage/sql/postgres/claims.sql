-- Claims, ends from outside, requests and variables: each used within one write transaction.

-- name: claim_run
UPDATE flow_run SET
    token = %(token)s, attempt = %(attempt)s, holder = %(holder)s, state = 'PENDING', state_name = 'Pending',
    message = '', detail = '', state_at = %(now)s, started = 0, ended = 0, result = NULL, run_count = 1, seq = %(seq)s
WHERE id = %(run)s;

-- name: open_task_runs
-- How many task runs below roots are not final.
SELECT root, run, state, count(*) FROM task_run
 WHERE root = ANY(%s) AND state <> 'COMPLETED'
   AND state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
 GROUP BY root, run, state;

-- name: count_open_flow_runs
SELECT count(*) FROM flow_run
 WHERE root = ANY(%s) AND id <> root AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED');

-- name: end_task_runs
-- {rows} are the endings: run, state, its name, message. Changes are numbered from the last parameter on.
WITH one (root, becomes, named, why) AS ({rows}), ending AS (
    SELECT below.id, one.becomes, one.named, one.why, row_number() OVER (ORDER BY below.id) - 1 AS n
      FROM one JOIN task_run AS below ON below.root = one.root
     WHERE below.state <> 'COMPLETED'
       AND below.state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'))
UPDATE task_run SET
    state = CASE WHEN state IN ('SCHEDULED', 'PENDING') THEN 'CANCELLED' ELSE ending.becomes END,
    state_name = CASE WHEN state IN ('SCHEDULED', 'PENDING') THEN 'Cancelled' ELSE ending.named END,
    message = ending.why, state_at = %s, ended = %s, seq = %s + ending.n
FROM ending WHERE task_run.id = ending.id;

-- name: end_subflow_runs
-- The same of subflow runs: the inner ones come first.
WITH one (root, becomes, named, why) AS ({rows}), ending AS (
    SELECT below.id, one.becomes, one.named, one.why, row_number() OVER (ORDER BY below.id DESC) - 1 AS n
      FROM one JOIN flow_run AS below ON below.root = one.root
     WHERE below.id <> below.root AND below.state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'))
UPDATE flow_run SET
    state = ending.becomes, state_name = ending.named, message = ending.why, state_at = %s, ended = %s,
    seq = %s + ending.n
FROM ending WHERE flow_run.id = ending.id;

-- name: end_root_runs
-- The same of the root runs themselves, whose tokens were checked before; their changes are the last ones.
WITH one (root, becomes, named, why) AS ({rows}), ending AS (
    SELECT one.*, row_number() OVER (ORDER BY root) - 1 AS n FROM one)
UPDATE flow_run SET
    state = ending.becomes, state_name = ending.named, message = ending.why, state_at = %s, ended = %s,
    seq = %s + ending.n
FROM ending WHERE flow_run.id = ending.root;

-- name: leave_request
-- The lock lets nobody end the run in between, and leave the request behind.
INSERT INTO request (run, kind, at, by)
SELECT id, %(kind)s, %(at)s, %(by)s FROM flow_run
 WHERE id = %(run)s AND id = root AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
   FOR UPDATE
ON CONFLICT (run, kind) DO NOTHING;

-- name: put_variable
INSERT INTO variable (name, value, tags, updated) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, tags = excluded.tags, updated = excluded.updated;

-- name: add_variable
INSERT INTO variable (name, value, tags, updated) VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO NOTHING;

-- name: end_requests
DELETE FROM request WHERE run = ANY(%s::text[]);
