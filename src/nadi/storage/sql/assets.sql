-- Assets. {where} stands for fixed conditions with parameters.

-- name: put_asset
INSERT INTO asset (key, properties, materialized, failed, seq) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
        properties = excluded.properties,
        materialized = max(materialized, excluded.materialized),
        failed = max(failed, excluded.failed),
        seq = excluded.seq;

-- name: properties
SELECT properties FROM asset WHERE key = ?;

-- name: put_materialization
INSERT INTO materialization (seq, id, key, at, succeeded, root, run, task, tool, message, upstream)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING;

-- name: put_metadata
INSERT INTO asset_metadata (seq, task, key, metadata) VALUES (?, ?, ?, ?);

-- name: assets
SELECT key, properties, materialized, failed, seq FROM asset WHERE {where};

-- name: materializations
SELECT seq, id, key, at, succeeded, root, run, task, tool, message, upstream,
       (SELECT json_group_array(json(CAST(metadata AS TEXT)) ORDER BY m.seq) FROM asset_metadata AS m
         WHERE m.task = materialization.task AND m.key = materialization.key)
  FROM materialization WHERE {where};

-- name: lineage_up
WITH RECURSIVE walked (key) AS (
    SELECT ? UNION SELECT edge.upstream FROM asset_edge AS edge JOIN walked ON edge.downstream = walked.key
)
SELECT edge.upstream, edge.downstream FROM asset_edge AS edge JOIN walked ON edge.downstream = walked.key
 ORDER BY edge.downstream, edge.upstream LIMIT ?;

-- name: lineage_down
WITH RECURSIVE walked (key) AS (
    SELECT ? UNION SELECT edge.downstream FROM asset_edge AS edge JOIN walked ON edge.upstream = walked.key
)
SELECT edge.upstream, edge.downstream FROM asset_edge AS edge JOIN walked ON edge.upstream = walked.key
 ORDER BY edge.downstream, edge.upstream LIMIT ?;
