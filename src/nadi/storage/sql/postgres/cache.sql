-- The cache, and which result files are still named, for PostgreSQL. {where} stands for fixed conditions with
-- parameters, {rows} for rows of parameters.

-- name: entries
SELECT key, task, result, root, token, run, task_run, name, created, expires, seq FROM cache_entry WHERE {where};

-- name: roots
-- The claims of these root runs, which stay as they are until the entries are put.
SELECT id, token FROM flow_run WHERE id = ANY(%s) ORDER BY id FOR SHARE;

-- name: buried
SELECT root FROM tombstone WHERE root = ANY(%s);

-- name: await_turn
-- Of all who put entries of these keys one does so at a time.
SELECT pg_advisory_xact_lock(lock) FROM
    (SELECT DISTINCT hashtextextended('nadi caches ' || key, 0) AS lock FROM unnest(%s::text[]) AS key ORDER BY 1) AS locks;

-- name: put_new_entries
INSERT INTO cache_entry (key, seq, task, result, file, owner, root, token, run, task_run, name, created, expires)
{rows}
ON CONFLICT (key) DO NOTHING RETURNING key;

-- name: lock_entries
SELECT key FROM cache_entry WHERE key = ANY(%s) ORDER BY key FOR UPDATE;

-- name: release_replaced
INSERT INTO released_file (file, owner, at)
SELECT DISTINCT file, owner, %s::float8 FROM cache_entry
 WHERE key = ANY(%s) AND file <> '' AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = cache_entry.owner)
 ORDER BY file
ON CONFLICT (file) DO UPDATE SET at = greatest(released_file.at, excluded.at);

-- name: replace_entries
UPDATE cache_entry SET
    seq = new.seq, task = new.task, result = new.result, file = new.file, owner = new.owner, root = new.root,
    token = new.token, run = new.run, task_run = new.task_run, name = new.name, created = new.created,
    expires = new.expires
  FROM ({rows}) AS new (
      key, seq, task, result, file, owner, root, token, run, task_run, name, created, expires)
 WHERE cache_entry.key = new.key;

-- name: remove_entries
WITH gone AS (
    DELETE FROM cache_entry WHERE key IN (SELECT key FROM cache_entry WHERE {where} ORDER BY key FOR UPDATE)
    RETURNING file, owner
), released AS (
    INSERT INTO released_file (file, owner, at)
    SELECT DISTINCT file, owner, %s::float8 FROM gone
     WHERE file <> '' AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = gone.owner)
     ORDER BY file
    ON CONFLICT (file) DO UPDATE SET at = greatest(released_file.at, excluded.at)
)
SELECT count(*) FROM gone;

-- name: use_files
INSERT INTO file_use (file, root, owner) {rows} ON CONFLICT (file, root) DO NOTHING;

-- name: release_files_of_runs
INSERT INTO released_file (file, owner, at)
SELECT DISTINCT file, owner, %s::float8 FROM file_use
 WHERE root = ANY(%s) AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = file_use.owner)
 ORDER BY file
ON CONFLICT (file) DO UPDATE SET at = greatest(released_file.at, excluded.at);

-- name: forget_uses_of_runs
DELETE FROM file_use WHERE root = ANY(%s);

-- name: deleted_runs
SELECT root FROM uncollected_run WHERE at < %s ORDER BY at, root LIMIT %s;

-- name: named_files
SELECT file FROM cache_entry WHERE owner = %s AND owner <> ''
UNION SELECT file FROM file_use WHERE owner = %s AND owner <> '';

-- name: await_collection
INSERT INTO uncollected_run (root, at) SELECT root, %s::float8 FROM unnest(%s::text[]) AS root;

-- name: mark_collected
DELETE FROM uncollected_run WHERE root = %s;

-- name: released_files
SELECT file FROM released_file AS released
 WHERE at < %s
   AND NOT EXISTS (SELECT 1 FROM flow_run WHERE id = released.owner)
   AND NOT EXISTS (SELECT 1 FROM cache_entry WHERE file = released.file AND file <> '')
   AND NOT EXISTS (SELECT 1 FROM file_use WHERE file = released.file)
 ORDER BY at, file LIMIT %s;

-- name: forget_files
DELETE FROM released_file WHERE file IN (SELECT file FROM released_file WHERE file = ANY(%s) ORDER BY file FOR UPDATE);
