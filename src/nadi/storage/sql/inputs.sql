-- Pauses, their answers, and messages to runs. {where} and {rows} stand for fixed conditions and rows of parameters.

-- name: put_pauses
INSERT INTO pause (run, key, root, at, deadline, schema, description, initial, answer, by, answered, refused, over)
VALUES {rows}
ON CONFLICT (run, key) DO UPDATE SET
    at = excluded.at, deadline = excluded.deadline, schema = excluded.schema, description = excluded.description,
    initial = excluded.initial, over = excluded.over
WHERE pause.answer IS NULL AND pause.root = excluded.root;

-- name: pauses
SELECT run, key, root, at, deadline, schema, description, initial, answer, by, answered, refused, over
  FROM pause WHERE {where};

-- name: overdue
SELECT pause.run, key, pause.root, at, deadline, schema, pause.description, initial, answer, by, answered, refused, over
  FROM pause JOIN flow_run ON flow_run.id = pause.root
 WHERE answer IS NULL AND deadline > 0 AND deadline <= ?1 AND over = 0
   AND pause.at >= flow_run.started AND flow_run.state = 'PAUSED' AND flow_run.holder = ''
 ORDER BY deadline LIMIT ?2;

-- name: answer
UPDATE pause SET answer = ?3, by = ?4, answered = ?5, refused = '' WHERE run = ?1 AND key = ?2;

-- name: refuse
UPDATE pause SET answer = NULL, by = '', answered = 0, refused = ?3 WHERE run = ?1 AND key = ?2 AND answer IS NOT NULL
RETURNING run;

-- name: next_change
UPDATE change SET seq = seq + 1 RETURNING seq;

-- name: send
INSERT INTO message (seq, root, run, keyset, value, sender, at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: messages
SELECT seq, root, run, keyset, value, sender, at
  FROM message WHERE run = ?1 AND keyset = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4;
