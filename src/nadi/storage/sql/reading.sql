-- What readers ask. {where} stands for fixed conditions with parameters, chosen by what was asked for.

-- name: flow_runs
SELECT id, root, parent, flow, name, attempt, token, state, state_name, message, detail, state_at, created, started,
       ended, tags, version, description, parameters, arguments, holder, source, run_count, result, call,
       seen, seq,
       (SELECT json_group_object(state, n) FROM task_count WHERE run = flow_run.id AND n > 0),
       (SELECT json_group_object(what, n) FROM dropped WHERE run = flow_run.id)
  FROM flow_run WHERE {where};

-- name: brief_flow_runs
SELECT id, root, parent, flow, name, attempt, token, state, state_name, message, state_at, created, started, ended, tags,
       version, holder, seq
  FROM flow_run WHERE {where};

-- name: task_runs
SELECT id, root, run, task, name, attempt, token, state, state_name, message, detail, state_at, created, started,
       ended, due, map_index, tags, upstream, reason, result, call, seen, seq
  FROM task_run WHERE {where};

-- name: attempts
SELECT run, attempt, token, state, state_name, message, started, ended, holder
  FROM attempt WHERE run = ? ORDER BY attempt;

-- name: earlier_attempts
-- CROSS JOIN keeps this order of reading: the attempts of the run in the order of the index, and the task run of each.
SELECT attempt.run, attempt.attempt, attempt.token, attempt.state, attempt.state_name, attempt.message,
       attempt.started, attempt.ended, attempt.holder
  FROM attempt CROSS JOIN task_run ON task_run.id = attempt.run
 WHERE attempt.root = ? AND (attempt.run, attempt.attempt) > (?, ?) AND (? = '' OR task_run.run = ?)
 ORDER BY attempt.run, attempt.attempt LIMIT ?;

-- name: superseded
SELECT root, run, token, attempt, state, state_name, message, at FROM superseded WHERE root = ? ORDER BY seq LIMIT ?;

-- name: logs
SELECT seq, root, run, task, at, level, logger, text FROM log WHERE {where};

-- name: artifacts
SELECT id, root, run, task, key, kind, description, data, created, updated, seq FROM artifact WHERE {where};

-- name: metrics
SELECT seq, root, run, task, key, value, step, at FROM metric WHERE {where};

-- name: variables
SELECT name, value, tags, updated FROM variable WHERE {where};

-- name: requests
SELECT run, kind, at, by FROM request WHERE run IN (SELECT value FROM json_each(?)) ORDER BY at, run;

-- name: watermark
SELECT watermark FROM writer WHERE id = ?;

-- name: last_change
SELECT seq FROM change;

-- name: counts
SELECT (SELECT count(*) FROM flow_run), (SELECT count(*) FROM task_run), (SELECT count(*) FROM log),
       (SELECT count(*) FROM artifact), (SELECT count(*) FROM metric), (SELECT count(*) FROM variable),
       (SELECT count(*) FROM superseded), (SELECT count(*) FROM tombstone), (SELECT count(*) FROM writer);
