-- Events. {where} stands for fixed conditions with parameters.

-- name: put_events
INSERT INTO event (seq, id, root, run, task, event, occurred, resource, related, payload, follows) VALUES {rows}
    ON CONFLICT (id) DO NOTHING;

-- name: emit_event
INSERT INTO event (seq, id, root, run, task, event, occurred, resource, related, payload, follows)
    SELECT seq + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM change WHERE true
    ON CONFLICT (id) DO NOTHING RETURNING seq;

-- name: events
SELECT seq, id, root, run, task, event, occurred, resource, related, payload, follows FROM event WHERE {where};
