-- Events, for PostgreSQL. {where} and {rows} stand for fixed conditions and rows of parameters.

-- name: put_events
INSERT INTO event (seq, id, root, run, task, event, occurred, resource, related, payload, follows)
{rows}
ON CONFLICT (id) DO NOTHING;

-- name: is_there
SELECT 1 FROM event WHERE id = %s;

-- name: emit_event
INSERT INTO event (seq, id, root, run, task, event, occurred, resource, related, payload, follows)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING RETURNING seq;

-- name: events
SELECT seq, id, root, run, task, event, occurred, resource, related, payload, follows FROM event WHERE {where};
