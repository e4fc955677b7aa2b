-- Retention.

-- name: rules
SELECT flow, state, age FROM retention_rule ORDER BY flow, state;

-- name: set_rule
INSERT INTO retention_rule (flow, state, age) VALUES (?, ?, ?)
ON CONFLICT (flow, state) DO UPDATE SET age = excluded.age;

-- name: remove_rule
DELETE FROM retention_rule WHERE flow = ? AND state = ? RETURNING flow;

-- name: ended_runs
SELECT id FROM flow_run
 WHERE flow = ?1 AND state = ?2 AND id = root AND ended > 0 AND ended < ?3 ORDER BY ended LIMIT ?4;

-- name: unswept
SELECT root FROM unswept_run ORDER BY root LIMIT 100;

-- name: leave_to_sweep
INSERT INTO unswept_run (root) VALUES (?);

-- name: swept
DELETE FROM unswept_run WHERE root = ?;

-- name: forget_tombstones
DELETE FROM tombstone WHERE root IN (
    SELECT root FROM tombstone
     WHERE at < ?1 AND NOT EXISTS (SELECT 1 FROM uncollected_run WHERE uncollected_run.root = tombstone.root)
       AND NOT EXISTS (SELECT 1 FROM unswept_run WHERE unswept_run.root = tombstone.root)
       AND NOT EXISTS (SELECT 1 FROM far_run WHERE far_run.root = tombstone.root AND far_run.at >= ?1)
     ORDER BY at LIMIT ?2
) RETURNING root;

-- name: forget_far
DELETE FROM far_run WHERE root IN (SELECT value FROM json_each(?));

-- name: bytes_of_tables
-- An index counts for its table.
SELECT s.tbl_name, sum(d.pgsize) FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name
 WHERE d.aggregate = 1 GROUP BY s.tbl_name;
