-- Schedules, ticks and backfills. {schedule}, {tick} and {backfill} stand for their columns, {where} for fixed
-- conditions with parameters.

-- name: schedules
SELECT {schedule} FROM schedule WHERE {where};

-- name: next_at
SELECT coalesce(min(next), 0) FROM schedule WHERE active = 1 AND next > 0;

-- name: put_schedule
INSERT INTO schedule ({schedule}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (deployment, name) DO UPDATE SET
    version = excluded.version, content = excluded.content, paused = excluded.paused, active = excluded.active,
    cursor = excluded.cursor, next = excluded.next;

-- name: remove_schedules
DELETE FROM schedule WHERE deployment = ?;

-- name: move_schedule
UPDATE schedule SET cursor = ?5, next = ?6
 WHERE deployment = ?1 AND name = ?2 AND version = ?3 AND cursor = ?4 AND active = 1 RETURNING name;

-- name: is_deployment_paused
SELECT paused FROM deployment WHERE name = ?;

-- name: known_tick
SELECT 1 FROM tick WHERE deployment = ?1 AND schedule = ?2 AND backfill = ?3 AND instant = ?4;

-- name: put_tick
INSERT INTO tick ({tick}) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: is_at_work
-- Whether a run of the deployment has not ended.
SELECT 1 FROM work INDEXED BY work_open WHERE deployment = ? AND open > 0 LIMIT 1;

-- name: ticks
SELECT {tick} FROM tick WHERE {where};

-- name: put_backfill
INSERT INTO backfill ({backfill}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: backfills
SELECT {backfill} FROM backfill WHERE {where};

-- name: advance
UPDATE backfill SET decided = decided + ?3, position = ?4, ended = ?5,
    state = CASE WHEN ?5 > 0 THEN 'COMPLETED' ELSE state END
 WHERE id = ?1 AND decided = ?2 AND state = 'RUNNING' RETURNING {backfill};

-- name: set_backfill_state
UPDATE backfill SET state = ?2, ended = ?3 WHERE id = ?1 AND state IN ('RUNNING', 'PAUSED') RETURNING id;
