-- Retention.

-- name: rules
SELECT flow, state, age FROM retention_rule ORDER BY flow, state;

-- name: set_rule
INSERT INTO retention_rule (flow, state, age) VALUES (%s, %s, %s)
ON CONFLICT (flow, state) DO UPDATE SET age = excluded.age;

-- name: remove_rule
DELETE FROM retention_rule WHERE flow = %s AND state = %s RETURNING flow;

-- name: ended_runs
SELECT id FROM flow_run
 WHERE flow = %s AND state = %s AND id = root AND ended > 0 AND ended < %s ORDER BY ended LIMIT %s;

-- name: to_bury
-- Locked in the order of ids, as every writer locks them.
SELECT id FROM flow_run
 WHERE id = ANY(%s) AND id = root AND state IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
 ORDER BY id FOR UPDATE;

-- name: unswept
-- Of two who sweep each has runs of its own.
SELECT root FROM unswept_run ORDER BY root LIMIT 100 FOR UPDATE SKIP LOCKED;

-- name: leave_to_sweep
INSERT INTO unswept_run (root) SELECT unnest(%s::text[]);

-- name: swept
DELETE FROM unswept_run WHERE root = %s;

-- name: forget_tombstones
DELETE FROM tombstone WHERE root IN (
    SELECT root FROM tombstone
     WHERE at < %s AND NOT EXISTS (SELECT 1 FROM uncollected_run WHERE uncollected_run.root = tombstone.root)
       AND NOT EXISTS (SELECT 1 FROM unswept_run WHERE unswept_run.root = tombstone.root)
       AND NOT EXISTS (SELECT 1 FROM far_run WHERE far_run.root = tombstone.root AND far_run.at >= %s)
     ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING root;

-- name: forget_far
-- One that was noted again meanwhile stays.
DELETE FROM far_run WHERE root IN
    (SELECT root FROM far_run WHERE root = ANY(%s) AND at < %s ORDER BY root FOR UPDATE SKIP LOCKED);

-- name: tables
-- Ours: what else lies in the schema is not counted, and may be closed to us.
SELECT relname, pg_total_relation_size(oid) FROM pg_class
 WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname = ANY(%s) ORDER BY relname;

-- name: bury
INSERT INTO tombstone (root, at, seq) VALUES (%s, %s, %s);
