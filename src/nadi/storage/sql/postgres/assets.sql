-- Assets, for PostgreSQL. {where} and {rows} stand for fixed conditions and rows of parameters.

-- name: know_assets
-- Each with a change number, which tells it apart until its row is written.
INSERT INTO asset (key, properties, materialized, failed, seq)
SELECT key, '{}', 0, 0, seq FROM ({rows}) AS new (key, seq)
ON CONFLICT (key) DO NOTHING;

-- name: lock_assets
SELECT key, properties FROM asset WHERE key = ANY(%s) ORDER BY key FOR UPDATE;

-- name: put_assets
UPDATE asset SET
    properties = new.properties, materialized = greatest(asset.materialized, new.materialized),
    failed = greatest(asset.failed, new.failed), seq = new.seq
  FROM ({rows}) AS new (key, properties, materialized, failed, seq)
 WHERE asset.key = new.key;

-- name: put_materializations
INSERT INTO materialization (seq, id, key, at, succeeded, root, run, task, tool, message, upstream)
{rows}
ON CONFLICT (id) DO NOTHING;

-- name: put_metadata
INSERT INTO asset_metadata (seq, task, key, metadata)
{rows};

-- name: forget_edges
DELETE FROM asset_edge WHERE downstream = ANY(%s);

-- name: put_edges
INSERT INTO asset_edge (downstream, upstream) {rows};

-- name: assets
SELECT key, properties, materialized, failed, seq FROM asset WHERE {where};

-- name: materializations
SELECT seq, id, key, at, succeeded, root, run, task, tool, message, upstream,
       (SELECT '[' || coalesce(string_agg(convert_from(metadata, 'UTF8'), ',' ORDER BY m.seq), '') || ']'
          FROM asset_metadata AS m WHERE m.task = materialization.task AND m.key = materialization.key)
  FROM materialization WHERE {where};

-- name: lineage_up
WITH RECURSIVE walked (key) AS (
    SELECT %s::text COLLATE "C"
    UNION SELECT edge.upstream FROM asset_edge AS edge JOIN walked ON edge.downstream = walked.key
)
SELECT edge.upstream, edge.downstream FROM asset_edge AS edge JOIN walked ON edge.downstream = walked.key
 ORDER BY edge.downstream, edge.upstream LIMIT %s;

-- name: lineage_down
WITH RECURSIVE walked (key) AS (
    SELECT %s::text COLLATE "C"
    UNION SELECT edge.downstream FROM asset_edge AS edge JOIN walked ON edge.upstream = walked.key
)
SELECT edge.upstream, edge.downstream FROM asset_edge AS edge JOIN walked ON edge.upstream = walked.key
 ORDER BY edge.downstream, edge.upstream LIMIT %s;
