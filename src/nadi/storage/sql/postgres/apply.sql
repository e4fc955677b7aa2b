-- What `apply` asks and writes: {rows} stands for a SELECT of the rows that are written at once.

-- name: await_turn
-- Of two who deliver the same journal, one waits for the other.
SELECT pg_advisory_xact_lock(hashtextextended(%s, 0));

-- name: await_founders
-- Nor do two bring the same root run there: there is no row yet that one of them could hold.
SELECT pg_advisory_xact_lock(lock) FROM
    (SELECT DISTINCT hashtextextended('nadi founds ' || id, 0) AS lock FROM unnest(%s::text[]) AS id ORDER BY 1) AS locks;

-- name: hold_roots
-- Everything below a root run is changed only by who holds its row. In order of ids, so that no two wait for each other.
SELECT id FROM flow_run WHERE id = ANY(%s::text[]) AND id = root ORDER BY id FOR UPDATE;

-- name: stand
SELECT (SELECT watermark FROM writer WHERE id = %s), pg_current_xact_id()::text::bigint,
       (pg_current_xact_id()::text::bigint << 20) + n
  FROM change_offset;

-- name: flows_stand
SELECT id, root, '', attempt, token, state, state_name, message, holder, started, ended, flow, created
  FROM flow_run WHERE id = ANY(%s::text[]);

-- name: tasks_stand
SELECT id, root, run, attempt, token, state, state_name, message, '', started, ended
  FROM task_run WHERE id = ANY(%s::text[]);

-- name: buried
SELECT root FROM tombstone WHERE root = ANY(%s::text[]);

-- name: put_flow_runs
INSERT INTO flow_run (id, root, parent, flow, name, attempt, token, state, state_name, message, detail, state_at,
                      created, started, ended, tags, version, description, parameters, arguments, holder, source,
                      run_count, result, call, seen, seq)
{rows}
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, attempt = excluded.attempt, token = excluded.token, state = excluded.state,
    state_name = excluded.state_name, message = excluded.message, detail = excluded.detail,
    state_at = excluded.state_at, started = excluded.started, ended = excluded.ended, tags = excluded.tags,
    version = excluded.version, description = excluded.description, parameters = excluded.parameters,
    arguments = coalesce(excluded.arguments, flow_run.arguments), holder = excluded.holder,
    source = CASE WHEN length(excluded.source) = 0 THEN flow_run.source ELSE excluded.source END,
    run_count = excluded.run_count, result = excluded.result, call = excluded.call, seen = excluded.seen,
    seq = excluded.seq;

-- name: move_flow_runs
WITH moved (id, attempt, token, state, state_name, message, detail, state_at, started, ended, run_count, name, result,
            holder, seq) AS ({rows})
UPDATE flow_run SET
    attempt = moved.attempt, token = moved.token, state = moved.state, state_name = moved.state_name,
    message = moved.message, detail = moved.detail, state_at = moved.state_at, started = moved.started,
    ended = moved.ended, run_count = moved.run_count,
    name = CASE WHEN moved.name = '' THEN flow_run.name ELSE moved.name END, result = moved.result,
    holder = moved.holder, seq = moved.seq
FROM moved WHERE flow_run.id = moved.id;

-- name: put_task_runs
INSERT INTO task_run (id, root, run, task, name, attempt, token, state, state_name, message, detail, state_at,
                      created, started, ended, due, map_index, tags, upstream, reason, result, call, seen, seq)
{rows}
ON CONFLICT (id) DO UPDATE SET
    run = excluded.run, task = excluded.task, name = excluded.name, attempt = excluded.attempt,
    token = excluded.token, state = excluded.state, state_name = excluded.state_name, message = excluded.message,
    detail = excluded.detail, state_at = excluded.state_at, started = excluded.started, ended = excluded.ended,
    due = excluded.due, map_index = excluded.map_index, tags = excluded.tags, upstream = excluded.upstream,
    reason = excluded.reason, result = excluded.result, call = excluded.call, seen = excluded.seen,
    seq = excluded.seq;

-- name: move_task_runs
WITH moved (id, attempt, token, state, state_name, message, detail, state_at, started, ended, due, result, seq)
    AS ({rows})
UPDATE task_run SET
    attempt = moved.attempt, token = moved.token, state = moved.state, state_name = moved.state_name,
    message = moved.message, detail = moved.detail, state_at = moved.state_at, started = moved.started,
    ended = moved.ended, due = moved.due, result = moved.result, seq = moved.seq
FROM moved WHERE task_run.id = moved.id;

-- name: reuse_task_runs
WITH reused (id, root, seen, seq) AS ({rows})
UPDATE task_run SET seen = reused.seen, seq = reused.seq
FROM reused WHERE task_run.id = reused.id AND task_run.root = reused.root;

-- name: reuse_flow_runs
WITH reused (id, root, seen, seq) AS ({rows})
UPDATE flow_run SET seen = reused.seen, seq = reused.seq
FROM reused WHERE flow_run.id = reused.id AND flow_run.root = reused.root;

-- name: close_attempts
INSERT INTO attempt (run, attempt, root, token, state, state_name, message, started, ended, holder)
{rows}
ON CONFLICT (run, attempt) DO NOTHING;

-- name: count_tasks
INSERT INTO task_count (root, run, state, n) {rows}
ON CONFLICT (run, state) DO UPDATE SET n = task_count.n + excluded.n;

-- name: count_dropped
INSERT INTO dropped (root, run, what, n) {rows}
ON CONFLICT (run, what) DO UPDATE SET n = dropped.n + excluded.n;

-- name: put_sources
WITH found (id, source) AS ({rows})
UPDATE flow_run SET source = found.source FROM found WHERE flow_run.id = found.id;

-- name: stir_flow_runs
WITH stirred (id, seq) AS ({rows})
UPDATE flow_run SET seq = stirred.seq FROM stirred WHERE flow_run.id = stirred.id;

-- name: put_logs
INSERT INTO log (root, seq, run, task, at, level, logger, text) {rows};

-- name: put_metrics
INSERT INTO metric (root, seq, run, task, key, value, step, at) {rows};

-- name: put_artifacts
INSERT INTO artifact (id, root, run, task, key, kind, description, data, created, updated, seq) {rows}
ON CONFLICT (id) DO UPDATE SET
    key = excluded.key, kind = excluded.kind, description = excluded.description, data = excluded.data,
    updated = excluded.updated, seq = excluded.seq
WHERE artifact.root = excluded.root;

-- name: put_superseded
-- Bounded: what a lost process goes on saying must not fill the store.
WITH late (root, seq, run, token, attempt, state, state_name, message, at) AS ({rows}),
     counted AS (SELECT *, row_number() OVER (PARTITION BY root ORDER BY seq) AS n FROM late)
INSERT INTO superseded (root, seq, run, token, attempt, state, state_name, message, at)
SELECT root, seq, run, token, attempt, state, state_name, message, at FROM counted
 WHERE n + (SELECT count(*) FROM superseded AS kept WHERE kept.root = counted.root) <= 1000;

-- name: set_watermark
INSERT INTO writer (id, watermark) VALUES (%s, %s)
ON CONFLICT (id) DO UPDATE SET watermark = excluded.watermark;
