-- Leases: who has shown lately that it lives.

-- name: grant
INSERT INTO lease (holder, renewals, term) VALUES (?, 1, ?)
ON CONFLICT (holder) DO UPDATE SET renewals = renewals + 1, term = excluded.term;

-- name: renew
UPDATE lease SET renewals = renewals + 1, term = ?2 WHERE holder = ?1 RETURNING holder;

-- name: leases
SELECT holder, renewals, term FROM lease ORDER BY holder;

-- name: release
DELETE FROM lease WHERE holder = ?;

-- name: expire
DELETE FROM lease WHERE holder = ? AND renewals = ? RETURNING holder;

-- name: fence
-- The open runs of a holder: what it says of them from now on bears an old token.
UPDATE flow_run SET token = token + 1
 WHERE holder <> '' AND holder = ? AND id = root
   AND state NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED');
