-- What readers ask. {where} stands for fixed conditions with parameters, chosen by what was asked for.

-- name: flow_runs
SELECT id, root, parent, flow, name, attempt, token, state, state_name, message, detail, state_at, created, started,
       ended, tags, version, description, parameters, arguments, holder, source, run_count, result, call,
       seen, seq,
       coalesce((SELECT json_object_agg(state, n) FROM task_count WHERE run = flow_run.id AND n > 0)::text, '{}'),
       coalesce((SELECT json_object_agg(what, n) FROM dropped WHERE run = flow_run.id)::text, '{}')
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
  FROM attempt WHERE run = %s ORDER BY attempt;

-- name: earlier_attempts
-- What belongs to the run is found first, by its index. In the order of the key the attempts of all runs would be read.
WITH own AS MATERIALIZED (
SELECT run, attempt, token, state, state_name, message, started, ended, holder FROM attempt WHERE root = %s)
SELECT own.run, own.attempt, own.token, own.state, own.state_name, own.message, own.started, own.ended, own.holder
  FROM own JOIN task_run ON task_run.id = own.run
 WHERE (own.run, own.attempt) > (%s, %s) AND (%s = '' OR task_run.run = %s)
 ORDER BY own.run, own.attempt LIMIT %s;

-- name: superseded
SELECT root, run, token, attempt, state, state_name, message, at FROM superseded WHERE root = %s ORDER BY seq LIMIT %s;

-- name: logs
SELECT seq, root, run, task, at, level, logger, text FROM log WHERE {where};

-- name: artifacts
SELECT id, root, run, task, key, kind, description, data, created, updated, seq FROM artifact WHERE {where};

-- name: metrics
SELECT seq, root, run, task, key, value, step, at FROM metric WHERE {where};

-- name: variables
SELECT name, value, tags, updated FROM variable WHERE {where};

-- name: requests
SELECT run, kind, at, by FROM request WHERE run = ANY(%s) ORDER BY at, run;

-- name: watermark
SELECT watermark FROM writer WHERE id = %s;

-- name: last_change
SELECT coalesce(max(seq), 0) FROM change WHERE seq < {bound};

-- name: counts
SELECT (SELECT count(*) FROM flow_run), (SELECT count(*) FROM task_run), (SELECT count(*) FROM log),
       (SELECT count(*) FROM artifact), (SELECT count(*) FROM metric), (SELECT count(*) FROM variable),
       (SELECT count(*) FROM superseded), (SELECT count(*) FROM tombstone), (SELECT count(*) FROM writer);
