-- Pages, counts, history and changes. {where} stands for fixed conditions with parameters, {rows} for a SELECT of rows
-- that are written at once, {narrow} for what an index can tell of a filter, {complete} for the change number below
-- which no other will come to light.

-- name: look_at_runs
SELECT count(*), min(id), coalesce(array_agg(id) FILTER (WHERE {narrow}), '{}')
  FROM (SELECT id, flow, name FROM flow_run WHERE {where} ORDER BY id DESC LIMIT %s) AS newest;

-- name: look_at_ids
SELECT count(*), min(id), coalesce(array_agg(id), '{}')
  FROM (SELECT id FROM flow_run WHERE {where} ORDER BY id DESC LIMIT %s) AS newest;

-- name: look_at_terms
SELECT count(*), min(id), coalesce(array_agg(id), '{}')
  FROM (SELECT id FROM run_term WHERE {where} ORDER BY id DESC LIMIT %s) AS newest;

-- name: flow_names
SELECT flow FROM flow_count WHERE {where} GROUP BY flow HAVING sum(n) > 0 ORDER BY flow LIMIT %s;

-- name: flows
SELECT flow, state, sum(n)::bigint, sum(microseconds)::bigint FROM flow_count
 WHERE flow = ANY(%s::text[]) GROUP BY flow, state HAVING sum(n) > 0 ORDER BY flow, state;

-- name: newest_runs
SELECT named.flow, newest.id, newest.created FROM unnest(%s::text[]) AS named (flow)
 CROSS JOIN LATERAL (SELECT id, created FROM flow_run WHERE flow_run.flow = named.flow AND id = root
                      ORDER BY id DESC LIMIT 1) AS newest;

-- name: history
SELECT hour / %(step)s::bigint * %(step)s::bigint AS start, state, sum(n)::bigint, sum(microseconds)::bigint
  FROM run_count WHERE flow = %(flow)s AND hour >= %(since)s::bigint AND hour < %(until)s::bigint
 GROUP BY 1, state HAVING sum(n) > 0 ORDER BY 1, state;

-- name: changes
-- Each part is bounded by itself, so that each is read from its index.
(SELECT seq, id, root, false FROM flow_run WHERE seq > %(after)s AND seq < {complete} ORDER BY seq LIMIT %(limit)s)
UNION ALL
(SELECT seq, root, root, true FROM tombstone
  WHERE seq > 0 AND seq > %(after)s AND seq < {complete} ORDER BY seq LIMIT %(limit)s)
ORDER BY 1 LIMIT %(limit)s;

-- name: add_run_counts
INSERT INTO run_count (flow, hour, state, part, n, microseconds)
SELECT flow, hour, state, pg_backend_pid(), n, microseconds FROM ({rows}) AS added (flow, hour, state, n, microseconds)
ON CONFLICT (flow, hour, state, part) DO UPDATE SET
    n = run_count.n + excluded.n, microseconds = run_count.microseconds + excluded.microseconds;

-- name: add_flow_counts
INSERT INTO flow_count (flow, state, part, n, microseconds)
SELECT flow, state, pg_backend_pid(), n, microseconds FROM ({rows}) AS added (flow, state, n, microseconds)
ON CONFLICT (flow, state, part) DO UPDATE SET
    n = flow_count.n + excluded.n, microseconds = flow_count.microseconds + excluded.microseconds;

-- name: put_terms
INSERT INTO run_term (term, id) {rows} ON CONFLICT (term, id) DO NOTHING;

-- name: forget_terms
DELETE FROM run_term USING ({rows}) AS gone (term, id) WHERE run_term.term = gone.term AND run_term.id = gone.id;

-- name: standing_terms
SELECT id, tags, parameters FROM flow_run WHERE id = ANY(%s::text[]);

-- name: root_runs
SELECT id, flow, created, state, started, ended, tags, parameters FROM flow_run WHERE id = ANY(%s::text[]) AND id = root;

-- name: all_root_runs
SELECT id, flow, created, state, started, ended, tags, parameters FROM flow_run WHERE id = root AND id > %s
 ORDER BY id LIMIT 1000;

-- name: fold_run_counts
-- Only what no writer of now adds to: of hours that are over, and of sessions that are gone. Who else folds, or counts,
-- is not waited for.
WITH gone AS (
    DELETE FROM run_count WHERE (flow, hour, state, part) IN (
        SELECT flow, hour, state, part FROM run_count
         WHERE part <> 0 AND (hour < (SELECT max(hour) FROM run_count WHERE flow = '')
                              OR part NOT IN (SELECT pid FROM pg_stat_activity))
         LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING flow, hour, state, n, microseconds
), folded AS (
    INSERT INTO run_count (flow, hour, state, part, n, microseconds)
    SELECT flow, hour, state, 0, sum(n), sum(microseconds) FROM gone GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (flow, hour, state, part) DO UPDATE SET
        n = run_count.n + excluded.n, microseconds = run_count.microseconds + excluded.microseconds
)
SELECT count(*) FROM gone;

-- name: fold_flow_counts
WITH gone AS (
    DELETE FROM flow_count WHERE (flow, state, part) IN (
        SELECT flow, state, part FROM flow_count
         WHERE part <> 0 AND part NOT IN (SELECT pid FROM pg_stat_activity)
         LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING flow, state, n, microseconds
), folded AS (
    INSERT INTO flow_count (flow, state, part, n, microseconds)
    SELECT flow, state, 0, sum(n), sum(microseconds) FROM gone GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (flow, state, part) DO UPDATE SET
        n = flow_count.n + excluded.n, microseconds = flow_count.microseconds + excluded.microseconds
)
SELECT count(*) FROM gone;

-- name: forget_run_counts
DELETE FROM run_count WHERE (flow, hour, state, part) IN (
    SELECT flow, hour, state, part FROM run_count WHERE part = 0 AND n = 0 AND microseconds = 0
     LIMIT %s FOR UPDATE SKIP LOCKED);

-- name: forget_flow_counts
DELETE FROM flow_count WHERE (flow, state, part) IN (
    SELECT flow, state, part FROM flow_count WHERE part = 0 AND n = 0 AND microseconds = 0
     LIMIT %s FOR UPDATE SKIP LOCKED);
