-- Pauses, their answers, and messages to runs, for PostgreSQL. {where} and {rows} stand for fixed conditions and rows
-- of parameters.

-- name: put_pauses
INSERT INTO pause (run, key, root, at, deadline, schema, description, initial, answer, by, answered, refused, over)
{rows}
ON CONFLICT (run, key) DO UPDATE SET
    at = excluded.at, deadline = excluded.deadline, schema = excluded.schema, description = excluded.description,
    initial = excluded.initial, over = excluded.over
WHERE pause.answer IS NULL AND pause.root = excluded.root;

-- name: pauses
SELECT run, key, root, at, deadline, schema, description, initial, answer, by, answered, refused, over
  FROM pause WHERE {where};

-- name: overdue
SELECT pause.run, pause.key, pause.root, pause.at, pause.deadline, pause.schema, pause.description, pause.initial,
       pause.answer, pause.by, pause.answered, pause.refused, pause.over
  FROM pause JOIN flow_run ON flow_run.id = pause.root
 WHERE pause.answer IS NULL AND pause.deadline > 0 AND pause.deadline <= %s AND pause.over = 0
   AND pause.at >= flow_run.started AND flow_run.state = 'PAUSED' AND flow_run.holder = ''
 ORDER BY pause.deadline LIMIT %s;

-- name: answer
UPDATE pause SET answer = %s, by = %s, answered = %s, refused = '' WHERE run = %s AND key = %s;

-- name: refuse
UPDATE pause SET answer = NULL, by = '', answered = 0, refused = %s WHERE run = %s AND key = %s AND answer IS NOT NULL
RETURNING run;

-- name: take_turn_to_send
-- Before the number of the message: so the messages to one run are committed in the order of their numbers, and who
-- reads them up to one number has not missed any before.
SELECT pg_advisory_xact_lock(hashtextextended('nadi messages to ' || %s::text, 0));

-- name: send
INSERT INTO message (seq, root, run, keyset, value, sender, at) VALUES (%s, %s, %s, %s, %s, %s, %s);

-- name: messages
SELECT seq, root, run, keyset, value, sender, at
  FROM message WHERE run = %s AND keyset = %s AND seq > %s ORDER BY seq LIMIT %s;
