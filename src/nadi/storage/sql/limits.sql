-- Limits, the claims that hold their slots, and the line of those that wait.

-- name: put_limit
INSERT INTO slot_limit (name, slots, decay, level, level_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (name) DO UPDATE SET
    slots = excluded.slots, decay = excluded.decay, level = excluded.level, level_at = excluded.level_at;

-- name: remove_limit
DELETE FROM slot_limit WHERE name = ? RETURNING name;

-- name: limits
SELECT name, slots, decay, level, level_at FROM slot_limit ORDER BY name;

-- name: limit
SELECT name, slots, decay, level, level_at FROM slot_limit WHERE name = ?;

-- name: used
-- Slots of one limit that are held.
SELECT coalesce(sum(slots), 0) FROM slot_claim_name JOIN slot_claim USING (place) WHERE name = ? AND held = 1;

-- name: put_claim
INSERT INTO slot_claim (id, names, slots, held, holder, label, root, run, task, term, renewals, at)
VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, 0, ?) RETURNING place;

-- name: put_claim_name
INSERT INTO slot_claim_name (name, place) VALUES (?, ?);

-- name: claims
SELECT id, names, slots, held, holder, label, root, run, task, term, renewals, at FROM slot_claim
 WHERE {where} ORDER BY place;

-- name: hold
UPDATE slot_claim SET held = 1 WHERE id = ?;

-- name: standing
SELECT id, held FROM slot_claim WHERE id IN (SELECT value FROM json_each(?));

-- name: renew
UPDATE slot_claim SET renewals = renewals + 1 WHERE id IN (SELECT value FROM json_each(?)) RETURNING id;

-- name: end_claim
-- With ?2 below zero whatever its renewals are.
DELETE FROM slot_claim WHERE id = ?1 AND (?2 < 0 OR renewals = ?2) RETURNING place, names;

-- name: end_claim_names
DELETE FROM slot_claim_name WHERE name = ? AND place = ?;

-- name: version
SELECT n FROM slot_version;

-- name: next_version
UPDATE slot_version SET n = n + 1;

-- name: next_change
UPDATE change SET seq = seq + 1;
