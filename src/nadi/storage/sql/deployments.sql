-- Deployments and their versions. {where} stands for fixed conditions with parameters.

-- name: deployments
SELECT deployment.name, deployment.newest, deployment.paused, deployment.created, deployment.updated,
       deployment_version.content
  FROM deployment CROSS JOIN deployment_version
    ON deployment_version.deployment = deployment.name AND deployment_version.number = deployment.version
 WHERE {where};

-- name: put_deployment
INSERT INTO deployment (name, version, newest, flow, concurrency, paused, created, updated)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    version = excluded.version, newest = excluded.newest, flow = excluded.flow, concurrency = excluded.concurrency,
    paused = excluded.paused, updated = excluded.updated;

-- name: put_version
INSERT INTO deployment_version (deployment, number, content) VALUES (?, ?, ?);

-- name: versions
SELECT content FROM deployment_version WHERE {where};

-- name: newest_at_work
-- The greatest version of runs that have not ended: their number is not given to another one.
SELECT coalesce(max(version), 0) FROM work INDEXED BY work_open WHERE deployment = ? AND open > 0;

-- name: remove_deployment
DELETE FROM deployment WHERE name = ? RETURNING name;

-- name: remove_versions
DELETE FROM deployment_version WHERE deployment = ?;
