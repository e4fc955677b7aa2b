-- Work, queues and workers, for PostgreSQL. {columns} stands for the columns of work, {where} for fixed conditions with
-- parameters, {rows} for a SELECT of rows that are written at once. Where rows are found by their runs, the conditions
-- are not those of a partial index (`open <> 0` says what `open > 0` does): all that is open may look like less to read.

-- name: known_runs
SELECT id FROM flow_run WHERE id = ANY(%(runs)s::text[]) UNION SELECT root FROM tombstone WHERE root = ANY(%(runs)s::text[]);

-- name: known_keys
SELECT work.deployment, work.key, work.run FROM unnest(%s::text[], %s::text[]) AS asked (deployment, key)
  JOIN work ON work.deployment = asked.deployment AND work.key = asked.key WHERE work.key <> '';

-- name: put_work
INSERT INTO work ({columns}) {rows}
ON CONFLICT DO NOTHING RETURNING run;

-- name: anything_due
SELECT 1 FROM work WHERE open = 1 AND worker = '' AND due <= %s LIMIT 1;

-- name: lock_line
-- Of two who take work one waits for the other: only so are slots never taken twice. Nobody who has this lock waits for
-- anything else, so it is held for as long as a few questions take.
SELECT pg_advisory_xact_lock(hashtextextended('nadi takes work', 0));

-- name: keep_order
-- For this transaction: what the line is read from is an index in its order. Before the table was analysed, reading and
-- sorting all of it looks cheaper.
SELECT set_config('enable_sort', 'off', true);

-- name: under_way
SELECT queue, deployment, count(*) FROM work WHERE open = 1 AND worker <> '' GROUP BY queue, deployment;

-- name: changed_queues
SELECT name, paused, slots FROM work_queue;

-- name: allowed
SELECT name, concurrency FROM deployment WHERE concurrency > 0;

-- name: queues_in_line
-- From each name on to the next one, so that not every row is read.
WITH RECURSIVE named (queue) AS (
    (SELECT queue FROM work WHERE open = 1 AND worker = '' ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (SELECT work.queue FROM work WHERE open = 1 AND worker = '' AND work.queue > named.queue
             ORDER BY work.queue LIMIT 1)
      FROM named WHERE named.queue IS NOT NULL)
SELECT queue FROM named WHERE queue IS NOT NULL;

-- name: line
-- The first of each queue, read from its index, and of these the first ones.
SELECT head.run, head.queue, head.deployment, head.alone
  FROM unnest(%(queues)s::text[]) AS named (queue) CROSS JOIN LATERAL (
    SELECT run, queue, deployment, alone, priority, due FROM work
     WHERE open = 1 AND worker = '' AND work.queue = named.queue AND due <= %(now)s AND host IN ('', %(host)s)
       AND deployment <> ALL(%(full)s::text[]) AND run <> ALL(%(seen)s::text[])
     ORDER BY priority DESC, due, run LIMIT %(limit)s) AS head
 ORDER BY head.priority DESC, head.due, head.run LIMIT %(limit)s;

-- name: take
-- Who has the row of one that is passed over is about to end that run, or to claim it.
WITH mine AS (SELECT run, open, worker FROM work WHERE run = ANY(%(runs)s::text[]) FOR UPDATE SKIP LOCKED)
UPDATE work SET worker = %(worker)s, assigned = %(now)s FROM mine
 WHERE work.run = mine.run AND mine.open = 1 AND mine.worker = '' RETURNING {columns_of_work};

-- name: free
-- Rows of runs are locked in the order of their ids, before those of their work, as everywhere.
SELECT id FROM flow_run WHERE id = ANY(%s::text[]) AND id = root AND state = 'SCHEDULED' AND holder = '' ORDER BY id FOR UPDATE;

-- name: give_back
UPDATE work SET worker = '', assigned = 0
 WHERE run = ANY(%s::text[]) AND worker = %s AND worker <> '' AND open <> 0 RETURNING run;

-- name: taken_by
SELECT run FROM work WHERE open = 1 AND worker <> '' AND worker = %s;

-- name: work
SELECT {columns} FROM work WHERE {where};

-- name: next_due
SELECT coalesce((SELECT due FROM work WHERE open = 1 AND worker = '' AND due > %s ORDER BY due LIMIT 1), 0);

-- name: queues
SELECT coalesce(changed.name, used.queue), coalesce(paused, 0), slots, coalesce(due, 0), coalesce(later, 0),
       coalesce(running, 0)
  FROM work_queue AS changed FULL JOIN
       (SELECT queue, count(*) FILTER (WHERE worker = '' AND work.due <= %(now)s) AS due,
               count(*) FILTER (WHERE worker = '' AND work.due > %(now)s) AS later,
               count(*) FILTER (WHERE worker <> '') AS running
          FROM work WHERE open = 1 GROUP BY queue) AS used ON used.queue = changed.name
 ORDER BY 1;

-- name: set_queue
INSERT INTO work_queue (name, paused, slots) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, slots = excluded.slots;

-- name: forget_queue
DELETE FROM work_queue WHERE name = %s;

-- name: worker_began
INSERT INTO worker (holder, name, content) VALUES (%s, %s, %s)
ON CONFLICT (holder) DO UPDATE SET name = excluded.name, content = excluded.content;

-- name: workers
SELECT worker.content, (SELECT count(*) FROM work WHERE open = 1 AND work.worker <> '' AND work.worker = worker.holder)
  FROM worker ORDER BY worker.name, worker.holder;

-- name: worker_ended
DELETE FROM worker WHERE holder = %s;

-- name: claimed
-- Whoever claims a run has its work, unless a worker took it before.
UPDATE work SET open = 1, worker = CASE WHEN worker = '' THEN %(holder)s ELSE worker END,
    assigned = CASE WHEN worker = '' THEN %(now)s ELSE assigned END
 WHERE run = %(run)s AND open <> 0;

-- name: close
UPDATE work SET open = 0 WHERE run = ANY(%s::text[]) AND open <> 0;

-- name: suspend
UPDATE work SET open = 2, worker = '', assigned = 0 WHERE run = ANY(%s::text[]) AND open <> 0;

-- name: finished_tasks
-- Left out are those that do again, with other inputs, what an earlier attempt had finished; see `crashes.after_crash`.
SELECT root, count(*) FROM task_run
 WHERE root = ANY(%s::text[]) AND state = 'COMPLETED' AND (reason = '' OR attempt > 1) GROUP BY root;

-- name: crash
WITH after (run, crashes, finished, worker, assigned, due, open) AS ({rows})
UPDATE work SET crashes = after.crashes, finished = after.finished, worker = after.worker, assigned = after.assigned,
    due = after.due, open = after.open
FROM after WHERE work.run = after.run;

-- name: await_resume
WITH crashed (id, named, why, at, seq) AS ({rows})
UPDATE flow_run SET
    token = token + 1, state = 'SCHEDULED', state_name = crashed.named, message = crashed.why, state_at = crashed.at,
    ended = 0, holder = '', started = CASE WHEN started = 0 THEN crashed.at ELSE started END, seq = crashed.seq
FROM crashed WHERE flow_run.id = crashed.id;

-- name: dead_letter
WITH given_up (id, named, why, seq) AS ({rows})
UPDATE flow_run SET state_name = given_up.named, message = given_up.why, seq = given_up.seq
FROM given_up WHERE flow_run.id = given_up.id;

-- name: waiting
-- Those that wait for a worker.
SELECT run FROM work WHERE open = 1 AND worker = '' AND {where};

-- name: hold_work
-- Held from now on, so that nobody takes them.
SELECT run, open, worker FROM work WHERE run = ANY(%s::text[]) ORDER BY run FOR UPDATE;
