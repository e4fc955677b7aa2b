-- Work, queues and workers. {columns} stands for the columns of work, {where} for fixed conditions with parameters,
-- {rows} for rows of parameters, {index} for the index to look through. Most work has ended, which SQLite cannot know:
-- left alone, it would look through all of it.

-- name: known_runs
SELECT id FROM flow_run WHERE id IN (SELECT value FROM json_each(?1))
UNION ALL SELECT root FROM tombstone WHERE root IN (SELECT value FROM json_each(?1));

-- name: known_keys
-- ?1 is a JSON array of deployments with keys.
SELECT work.deployment, work.key, work.run FROM json_each(?1) AS asked CROSS JOIN work
 WHERE work.key <> '' AND work.deployment = asked.value ->> 0 AND work.key = asked.value ->> 1;

-- name: put_work
INSERT INTO work ({columns}) VALUES {rows};

-- name: anything_due
SELECT 1 FROM work INDEXED BY work_due WHERE open = 1 AND worker = '' AND due <= ? LIMIT 1;

-- name: under_way
SELECT queue, deployment, count(*) FROM work INDEXED BY work_taken WHERE open = 1 AND worker <> ''
 GROUP BY queue, deployment;

-- name: changed_queues
SELECT name, paused, slots FROM work_queue ORDER BY name;

-- name: allowed
SELECT concurrency FROM deployment WHERE name = ?;

-- name: lines
-- The queues in which something waits, with its priorities: from each to the next one, so that not every row is read.
WITH RECURSIVE line (queue, priority) AS (
    SELECT * FROM (SELECT queue, priority FROM work WHERE open = 1 AND worker = ''
                    ORDER BY queue, priority DESC LIMIT 1)
    UNION ALL
    SELECT found.queue, found.priority FROM line CROSS JOIN work AS found
     WHERE found.run = coalesce(
        (SELECT run FROM work WHERE open = 1 AND worker = '' AND queue = line.queue AND priority < line.priority
          ORDER BY priority DESC LIMIT 1),
        (SELECT run FROM work WHERE open = 1 AND worker = '' AND queue > line.queue
          ORDER BY queue, priority DESC LIMIT 1)))
SELECT queue, priority FROM line;

-- name: line
-- Those of one queue and priority that may go, after (?3, ?4), without those of the deployments of ?7.
SELECT run, deployment, due, host, alone FROM work INDEXED BY work_line
 WHERE open = 1 AND worker = '' AND queue = ?1 AND priority = ?2 AND (due, run) > (?3, ?4) AND due <= ?5
   AND host IN ('', ?6) AND deployment NOT IN (SELECT value FROM json_each(?7))
 ORDER BY due, run LIMIT ?8;

-- name: take
UPDATE work SET worker = ?2, assigned = ?3 WHERE run IN (SELECT value FROM json_each(?1)) RETURNING {columns};

-- name: give_back
-- Those that nobody has claimed.
UPDATE work SET worker = '', assigned = 0
 WHERE run IN (SELECT value FROM json_each(?1)) AND worker = ?2 AND worker <> '' AND open = 1
   AND EXISTS (SELECT 1 FROM flow_run WHERE id = work.run AND state = 'SCHEDULED' AND holder = '') RETURNING run;

-- name: taken_by
SELECT run FROM work INDEXED BY work_taken WHERE open = 1 AND worker <> '' AND worker = ?;

-- name: work
SELECT {columns} FROM work {index} WHERE {where};

-- name: next_due
SELECT coalesce(min(due), 0) FROM work INDEXED BY work_due WHERE open = 1 AND worker = '' AND due > ?;

-- name: waiting_in_queues
SELECT queue, sum(due <= ?1), sum(due > ?1) FROM work INDEXED BY work_line WHERE open = 1 AND worker = '' GROUP BY queue;

-- name: running_in_queues
SELECT queue, count(*) FROM work INDEXED BY work_taken WHERE open = 1 AND worker <> '' GROUP BY queue;

-- name: set_queue
INSERT INTO work_queue (name, paused, slots) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, slots = excluded.slots;

-- name: forget_queue
DELETE FROM work_queue WHERE name = ?;

-- name: worker_began
INSERT INTO worker (holder, name, content) VALUES (?, ?, ?)
ON CONFLICT (holder) DO UPDATE SET name = excluded.name, content = excluded.content;

-- name: workers
SELECT content, (SELECT count(*) FROM work WHERE open = 1 AND worker <> '' AND worker = worker.holder)
  FROM worker ORDER BY name, holder;

-- name: worker_ended
DELETE FROM worker WHERE holder = ? RETURNING holder;

-- name: claimed
-- Whoever claims a run has its work, unless a worker took it before.
UPDATE work SET open = 1, worker = CASE WHEN worker = '' THEN ?2 ELSE worker END,
    assigned = CASE WHEN worker = '' THEN ?3 ELSE assigned END
 WHERE run = ?1 AND open > 0;

-- name: close
UPDATE work SET open = 0 WHERE run IN (SELECT value FROM json_each(?)) AND open > 0;

-- name: suspend
UPDATE work SET open = 2, worker = '', assigned = 0
 WHERE run IN (SELECT value FROM json_each(?)) AND open = 1;

-- name: finished_tasks
-- Left out are those that do again, with other inputs, what an earlier attempt had finished; see `crashes.after_crash`.
SELECT root, count(*) FROM task_run
 WHERE root IN (SELECT value FROM json_each(?)) AND state = 'COMPLETED' AND (reason = '' OR attempt > 1) GROUP BY root;

-- name: crash
UPDATE work SET crashes = ?2, finished = ?3, worker = ?4, assigned = ?5, due = ?6, open = ?7 WHERE run = ?1;

-- name: await_resume
UPDATE flow_run SET
    token = token + 1, state = 'SCHEDULED', state_name = ?2, message = ?3, state_at = ?4, ended = 0, holder = '',
    started = CASE WHEN started = 0 THEN ?4 ELSE started END, seq = ?5
WHERE id = ?1;

-- name: dead_letter
UPDATE flow_run SET state_name = ?2, message = ?3, seq = ?4 WHERE id = ?1;

-- name: waiting
-- Root runs that wait for a worker, with their tokens.
SELECT flow_run.id, flow_run.token FROM work {index} CROSS JOIN flow_run ON flow_run.id = work.run
 WHERE work.open = 1 AND work.worker = '' AND {where};
