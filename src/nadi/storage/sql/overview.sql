-- Pages, counts, history and changes. {where} stands for fixed conditions with parameters, {rows} for rows of
-- parameters, {narrow} for what an index can tell of a filter.

-- name: look_at_runs
SELECT count(*), min(id), json_group_array(id) FILTER (WHERE {narrow})
  FROM (SELECT id, flow, name FROM flow_run WHERE {where} ORDER BY id DESC LIMIT ?);

-- name: look_at_ids
SELECT count(*), min(id), json_group_array(id) FROM (SELECT id FROM flow_run WHERE {where} ORDER BY id DESC LIMIT ?);

-- name: look_at_terms
SELECT count(*), min(id), json_group_array(id) FROM (SELECT id FROM run_term WHERE {where} ORDER BY id DESC LIMIT ?);

-- name: flow_names
SELECT flow FROM flow_count WHERE {where} GROUP BY flow HAVING sum(n) > 0 ORDER BY flow LIMIT ?;

-- name: flows
SELECT flow, state, sum(n), sum(microseconds) FROM flow_count
 WHERE flow IN (SELECT value FROM json_each(?)) GROUP BY flow, state HAVING sum(n) > 0 ORDER BY flow, state;

-- name: newest_runs
SELECT named.value, newest.id, newest.created FROM json_each(?) AS named
  JOIN flow_run AS newest ON newest.id =
       (SELECT id FROM flow_run WHERE flow = named.value AND id = root ORDER BY id DESC LIMIT 1);

-- name: history
SELECT hour / ?1 * ?1 AS start, state, sum(n), sum(microseconds) FROM run_count
 WHERE flow = ?2 AND hour >= ?3 AND hour < ?4 GROUP BY start, state HAVING sum(n) > 0 ORDER BY start, state;

-- name: changes
SELECT seq, id, root, 0 FROM flow_run WHERE seq > ?1
UNION ALL SELECT seq, root, root, 1 FROM tombstone WHERE seq > ?1 AND seq > 0
ORDER BY 1 LIMIT ?2;

-- name: add_run_counts
INSERT INTO run_count (flow, hour, state, part, n, microseconds) VALUES {rows}
ON CONFLICT (flow, hour, state, part) DO UPDATE SET
    n = run_count.n + excluded.n, microseconds = run_count.microseconds + excluded.microseconds;

-- name: add_flow_counts
INSERT INTO flow_count (flow, state, part, n, microseconds) VALUES {rows}
ON CONFLICT (flow, state, part) DO UPDATE SET
    n = flow_count.n + excluded.n, microseconds = flow_count.microseconds + excluded.microseconds;

-- name: put_terms
INSERT INTO run_term (term, id) VALUES {rows} ON CONFLICT (term, id) DO NOTHING;

-- name: forget_terms
DELETE FROM run_term WHERE id = ?1 AND term IN (SELECT value FROM json_each(?2));

-- name: standing_terms
SELECT id, tags, parameters FROM flow_run WHERE id IN (SELECT value FROM json_each(?));

-- name: root_run
SELECT flow, created, state, started, ended, tags, parameters FROM flow_run WHERE id = ? AND id = root;

-- name: all_root_runs
SELECT id, flow, created, state, started, ended, tags, parameters FROM flow_run WHERE id = root AND id > ?
 ORDER BY id LIMIT 1000;

-- name: forget_run_counts
DELETE FROM run_count WHERE flow IN (?1, '') AND hour = ?2 AND n = 0 AND microseconds = 0;

-- name: forget_flow_counts
DELETE FROM flow_count WHERE flow = ?1 AND n = 0 AND microseconds = 0;

-- name: fold_run_counts
-- Of the newest hour they come and go all the time.
DELETE FROM run_count WHERE (flow, hour, state, part) IN
    (SELECT flow, hour, state, part FROM run_count
      WHERE n = 0 AND microseconds = 0 AND hour < (SELECT max(hour) FROM run_count WHERE flow = '') LIMIT ?);
