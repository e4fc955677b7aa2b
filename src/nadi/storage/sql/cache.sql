-- The cache, and which result files are still named. {where} stands for fixed conditions with parameters, {rows} for
-- rows of parameters.

-- name: entries
SELECT key, task, result, root, token, run, task_run, name, created, expires, seq FROM cache_entry WHERE {where};

-- name: lost
-- Of (root, token) pairs, those whose token is not the newest claim, or whose root was deleted.
SELECT DISTINCT claim.value ->> 0, claim.value ->> 1 FROM json_each(?1) AS claim
 WHERE EXISTS (SELECT 1 FROM tombstone WHERE root = claim.value ->> 0)
    OR EXISTS (SELECT 1 FROM flow_run WHERE id = claim.value ->> 0 AND token > claim.value ->> 1);

-- name: put_entries
INSERT INTO cache_entry (key, seq, task, result, file, owner, root, token, run, task_run, name, created, expires)
VALUES {rows}
ON CONFLICT (key) DO UPDATE SET
    seq = excluded.seq, task = excluded.task, result = excluded.result, file = excluded.file, owner = excluded.owner,
    root = excluded.root, token = excluded.token, run = excluded.run, task_run = excluded.task_run,
    name = excluded.name, created = excluded.created, expires = excluded.expires;

-- name: release_replaced
INSERT INTO released_file (file, owner, at)
SELECT file, owner, ?2 FROM cache_entry
 WHERE key IN (SELECT value FROM json_each(?1)) AND file <> ''
   AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = cache_entry.owner)
ON CONFLICT (file) DO UPDATE SET at = max(at, excluded.at);

-- name: release_removed
INSERT INTO released_file (file, owner, at)
SELECT DISTINCT file, owner, ? FROM cache_entry
 WHERE file <> '' AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = cache_entry.owner) AND {where}
ON CONFLICT (file) DO UPDATE SET at = max(at, excluded.at);

-- name: remove_entries
DELETE FROM cache_entry WHERE {where} RETURNING 1;

-- name: use_files
INSERT INTO file_use (file, root, owner) VALUES {rows} ON CONFLICT (file, root) DO NOTHING;

-- name: release_files_of_run
INSERT INTO released_file (file, owner, at)
SELECT file, owner, ?2 FROM file_use
 WHERE root = ?1 AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = file_use.owner)
ON CONFLICT (file) DO UPDATE SET at = max(at, excluded.at);

-- name: forget_uses_of_run
DELETE FROM file_use WHERE root = ?;

-- name: deleted_runs
SELECT root FROM uncollected_run WHERE at < ? ORDER BY at, root LIMIT ?;

-- name: named_files
SELECT file FROM cache_entry WHERE owner = ?1 UNION SELECT file FROM file_use WHERE owner = ?1;

-- name: await_collection
INSERT INTO uncollected_run (root, at) VALUES (?, ?);

-- name: mark_collected
DELETE FROM uncollected_run WHERE root = ?;

-- name: released_files
SELECT file FROM released_file AS released
 WHERE at < ?
   AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = released.owner)
   AND NOT EXISTS (SELECT 1 FROM cache_entry WHERE file = released.file AND file <> '')
   AND NOT EXISTS (SELECT 1 FROM file_use WHERE file = released.file)
 ORDER BY at, file LIMIT ?;

-- name: forget_files
DELETE FROM released_file WHERE file IN (SELECT value FROM json_each(?));
