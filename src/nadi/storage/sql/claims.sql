-- Claims, ends from outside, requests and deletion: each used within one write transaction.

-- name: claim_run
UPDATE flow_run SET
    token = ?2, attempt = ?3, holder = ?4, state = 'PENDING', state_name = 'Pending', message = '', detail = '',
    state_at = ?5, started = 0, ended = 0, result = NULL, run_count = 1, seq = ?6
WHERE id = ?1;

-- name: end_flow_runs
-- The root run and its subflow runs that are not final; of the root its token is checked before.
UPDATE flow_run SET
    state = ?2, state_name = ?3, message = ?4, state_at = ?5, ended = ?5, seq = ?6 + ending.n
FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM flow_run
       WHERE root = ?1 AND id <> root AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
      UNION ALL SELECT ?1, ?7) AS ending
WHERE flow_run.id = ending.id;

-- name: count_open_flow_runs
SELECT count(*) FROM flow_run
 WHERE root = ?1 AND id <> root AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED');

-- name: count_open_task_runs
SELECT run, state, count(*) FROM task_run
 WHERE root = ?1 AND state <> 'COMPLETED' AND state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
 GROUP BY run, state;

-- name: end_task_runs
UPDATE task_run SET
    state = CASE WHEN state IN ('SCHEDULED', 'PENDING') THEN 'CANCELLED' ELSE ?2 END,
    state_name = CASE WHEN state IN ('SCHEDULED', 'PENDING') THEN 'Cancelled' ELSE ?3 END,
    message = ?4, state_at = ?5, ended = ?5, seq = ?6 + ending.n
FROM (SELECT id AS ending_id, row_number() OVER (ORDER BY id) AS n FROM task_run
       WHERE root = ?1 AND state <> 'COMPLETED'
         AND state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')) AS ending
WHERE task_run.id = ending_id;

-- name: leave_request
INSERT INTO request (run, kind, at, by)
SELECT ?1, ?2, ?3, ?4 FROM flow_run
 WHERE id = ?1 AND id = root AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
ON CONFLICT (run, kind) DO NOTHING;

-- name: next_change
UPDATE change SET seq = seq + ? RETURNING seq;

-- name: bury_run
INSERT INTO tombstone (root, at) VALUES (?, ?);
