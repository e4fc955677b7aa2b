-- Limits, the claims that hold their slots, and the line of those that wait, for PostgreSQL.

-- name: lock_names
-- One after the other in the order given, which is that of the locks' numbers.
SELECT pg_advisory_xact_lock(lock) FROM unnest(%s::bigint[]) AS lock;

-- name: look
-- What is waited for together; the limits, and how many slots of each are held; whether a claim holds, if it is there.
SELECT (SELECT json_agg(DISTINCT names) FROM slot_claim WHERE held = 0),
       (SELECT json_agg(json_build_array(name, slots, decay, level, level_at)) FROM slot_limit
         WHERE name = ANY(%(names)s)),
       (SELECT json_object_agg(name, n) FROM
           (SELECT name, sum(slots) AS n FROM slot_claim_name JOIN slot_claim USING (place)
             WHERE name = ANY(%(names)s) AND held = 1 GROUP BY name) AS used),
       (SELECT held FROM slot_claim WHERE id = %(claim)s);

-- name: put_limit
INSERT INTO slot_limit (name, slots, decay, level, level_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET
    slots = excluded.slots, decay = excluded.decay, level = excluded.level, level_at = excluded.level_at;

-- name: remove_limit
DELETE FROM slot_limit WHERE name = %s RETURNING name;

-- name: limits
SELECT name, slots, decay, level, level_at FROM slot_limit ORDER BY name;

-- name: put_claim
WITH put AS (
    INSERT INTO slot_claim (id, names, slots, held, holder, label, root, run, task, term, renewals, at)
    VALUES (%s, %s, %s, 0, %s, %s, %s, %s, %s, %s, 0, %s) RETURNING place
)
INSERT INTO slot_claim_name (name, place) SELECT DISTINCT name, place FROM put, unnest(%s::text[]) AS name;

-- name: claims
SELECT id, names, slots, held, holder, label, root, run, task, term, renewals, at, place FROM slot_claim
 WHERE {where} ORDER BY place;

-- name: hold
-- Rows of claims are locked in the order of their places, by those too who only renew them.
UPDATE slot_claim SET held = 1
 WHERE place IN (SELECT place FROM slot_claim WHERE id = ANY(%s) ORDER BY place FOR UPDATE);

-- name: standing
SELECT id, held FROM slot_claim WHERE id = ANY(%s);

-- name: names_of
SELECT names FROM slot_claim WHERE id = ANY(%s);

-- name: renew
UPDATE slot_claim SET renewals = renewals + 1
 WHERE place IN (SELECT place FROM slot_claim WHERE id = ANY(%s) ORDER BY place FOR UPDATE) RETURNING id;

-- name: end_claims
-- Those with renewals below zero whatever theirs are.
WITH seen AS (
    SELECT place FROM slot_claim JOIN unnest(%s::text[], %s::bigint[]) AS seen (claim, renewals) ON id = seen.claim
     WHERE seen.renewals < 0 OR slot_claim.renewals = seen.renewals ORDER BY place FOR UPDATE OF slot_claim
), ended AS (
    DELETE FROM slot_claim WHERE place IN (SELECT place FROM seen) RETURNING place, names, slots, held
), unnamed AS (
    DELETE FROM slot_claim_name WHERE place IN (SELECT place FROM ended) AND name = ANY(%s)
)
SELECT names, slots, held FROM ended;

-- name: version
SELECT n FROM slot_version;

-- name: next_version
UPDATE slot_version SET n = n + 1;
