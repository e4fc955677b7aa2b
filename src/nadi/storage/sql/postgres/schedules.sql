-- Schedules, ticks and backfills, for PostgreSQL. {schedule}, {tick} and {backfill} stand for their columns, {where} for
-- fixed conditions with parameters, {rows} for a SELECT of rows that are written at once.

-- name: hold_deployments
-- Who changes a deployment, or decides something of all of its runs, has its row; in the order of names.
SELECT name, paused FROM deployment WHERE name = ANY(%s::text[]) ORDER BY name FOR UPDATE;

-- name: schedules
SELECT {schedule} FROM schedule WHERE {where};

-- name: next_at
SELECT coalesce((SELECT next FROM schedule WHERE active = 1 AND next > 0 ORDER BY next LIMIT 1), 0);

-- name: hold
-- Those that fire; in the order of their keys, so that no two wait for each other.
SELECT schedule.deployment, schedule.name, version, cursor, active
  FROM ({rows}) AS fired (deployment, name)
  JOIN schedule ON schedule.deployment = fired.deployment AND schedule.name = fired.name
 ORDER BY schedule.deployment, schedule.name FOR UPDATE OF schedule;

-- name: put_schedules
INSERT INTO schedule ({schedule}) {rows}
ON CONFLICT (deployment, name) DO UPDATE SET
    version = excluded.version, content = excluded.content, paused = excluded.paused, active = excluded.active,
    cursor = excluded.cursor, next = excluded.next;

-- name: move_schedules
WITH moved (deployment, name, cursor, next) AS ({rows})
UPDATE schedule SET cursor = moved.cursor, next = moved.next
FROM moved WHERE schedule.deployment = moved.deployment AND schedule.name = moved.name;

-- name: remove_schedules
DELETE FROM schedule WHERE deployment = %s AND name <> ALL(%s::text[]);

-- name: known_ticks
SELECT tick.deployment, tick.schedule, tick.backfill, tick.instant
  FROM ({rows}) AS decided (deployment, schedule, backfill, instant)
  JOIN tick ON tick.deployment = decided.deployment AND tick.instant = decided.instant
   AND tick.schedule = decided.schedule AND tick.backfill = decided.backfill;

-- name: put_ticks
INSERT INTO tick ({tick}) {rows};

-- name: at_work
-- Deployments of which a run has not ended.
SELECT name FROM unnest(%s::text[]) AS asked (name)
 WHERE EXISTS (SELECT 1 FROM work WHERE deployment = asked.name AND open > 0);

-- name: ticks
SELECT {tick} FROM tick WHERE {where};

-- name: put_backfill
INSERT INTO backfill ({backfill}) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING;

-- name: backfills
SELECT {backfill} FROM backfill WHERE {where};

-- name: deployment_of
SELECT deployment FROM backfill WHERE id = %s;

-- name: advance
UPDATE backfill SET decided = decided + %(more)s, position = %(position)s, ended = %(ended)s,
    state = CASE WHEN %(ended)s::double precision > 0 THEN 'COMPLETED' ELSE state END
 WHERE id = %(id)s AND decided = %(seen)s AND state = 'RUNNING' RETURNING {backfill};

-- name: set_backfill_state
UPDATE backfill SET state = %s, ended = %s WHERE id = %s AND state IN ('RUNNING', 'PAUSED');
