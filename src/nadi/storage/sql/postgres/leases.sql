-- Leases: who has shown lately that it lives.

-- name: grant
INSERT INTO lease (holder, renewals, term) VALUES (%s, 1, %s)
ON CONFLICT (holder) DO UPDATE SET renewals = lease.renewals + 1, term = excluded.term;

-- name: renew
UPDATE lease SET renewals = renewals + 1, term = %(term)s WHERE holder = %(holder)s RETURNING holder;

-- name: leases
SELECT holder, renewals, term FROM lease ORDER BY holder;

-- name: release
DELETE FROM lease WHERE holder = %s;

-- name: expire
DELETE FROM lease WHERE holder = %s AND renewals = %s RETURNING holder;

-- name: fence
-- The open runs of a holder: what it says of them from now on bears an old token. Rows are locked in the order of
-- their ids, as everywhere.
UPDATE flow_run SET token = token + 1
 WHERE id IN (SELECT id FROM flow_run
               WHERE holder <> '' AND holder = %s AND id = root
                 AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
               ORDER BY id FOR UPDATE);
