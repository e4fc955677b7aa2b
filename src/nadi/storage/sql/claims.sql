-- Claims, ends from outside, requests and deletion: each used within one write transaction.

-- name: claim_run
UPDATE flow_run SET
    token = ?2, attempt = ?3, holder = ?4, state = 'PENDING', state_name = 'Pending', message = '', detail = '',
    state_at = ?5, started = 0, ended = 0, result = NULL, run_count = 1, seq = ?6
WHERE id = ?1;

-- name: open_task_runs
-- How many task runs below roots are not final.
SELECT root, run, state, count(*) FROM task_run
 WHERE root IN (SELECT value FROM json_each(?1)) AND state <> 'COMPLETED'
   AND state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
 GROUP BY root, run, state;

-- name: count_open_flow_runs
SELECT count(*) FROM flow_run
 WHERE root IN (SELECT value FROM json_each(?1)) AND id <> root
   AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED');

-- name: end_task_runs
-- ?1 is a JSON array of the endings: run, state, its name, message. Changes are numbered from ?3 on.
UPDATE task_run SET
    state = CASE WHEN state IN ('SCHEDULED', 'PENDING') THEN 'CANCELLED' ELSE ending.becomes END,
    state_name = CASE WHEN state IN ('SCHEDULED', 'PENDING') THEN 'Cancelled' ELSE ending.named END,
    message = ending.why, state_at = ?2, ended = ?2, seq = ?3 + ending.n
FROM (SELECT below.id AS below_id, one.value ->> 1 AS becomes, one.value ->> 2 AS named, one.value ->> 3 AS why,
             row_number() OVER (ORDER BY one.key, below.id) - 1 AS n
        FROM json_each(?1) AS one CROSS JOIN task_run AS below
       WHERE below.root = one.value ->> 0 AND below.state <> 'COMPLETED'
         AND below.state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')) AS ending
WHERE task_run.id = below_id;

-- name: end_subflow_runs
-- The same of subflow runs: the inner ones come first.
UPDATE flow_run SET
    state = ending.becomes, state_name = ending.named, message = ending.why, state_at = ?2, ended = ?2,
    seq = ?3 + ending.n
FROM (SELECT below.id AS below_id, one.value ->> 1 AS becomes, one.value ->> 2 AS named, one.value ->> 3 AS why,
             row_number() OVER (ORDER BY one.key, below.id DESC) - 1 AS n
        FROM json_each(?1) AS one CROSS JOIN flow_run AS below
       WHERE below.root = one.value ->> 0 AND below.id <> below.root
         AND below.state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')) AS ending
WHERE flow_run.id = below_id;

-- name: end_root_runs
-- The same of the root runs themselves, whose tokens were checked before; their changes are the last ones.
UPDATE flow_run SET
    state = ending.becomes, state_name = ending.named, message = ending.why, state_at = ?2, ended = ?2,
    seq = ?3 + ending.n
FROM (SELECT value ->> 0 AS root_id, value ->> 1 AS becomes, value ->> 2 AS named, value ->> 3 AS why, key AS n
        FROM json_each(?1)) AS ending
WHERE flow_run.id = root_id;

-- name: end_requests
DELETE FROM request WHERE run IN (SELECT value FROM json_each(?1));

-- name: leave_request
INSERT INTO request (run, kind, at, by)
SELECT ?1, ?2, ?3, ?4 FROM flow_run
 WHERE id = ?1 AND id = root AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
ON CONFLICT (run, kind) DO NOTHING;

-- name: next_change
UPDATE change SET seq = seq + ? RETURNING seq;

-- name: bury_run
INSERT INTO tombstone (root, at, seq) SELECT ?, ?, seq FROM change;
