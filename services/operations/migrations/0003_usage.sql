-- Who called what, a row for each client, method and outcome. `days` is how many calls each day had: `20417:3 20418:12`,
-- days being counted from 1970-01-01. `usage_id` is a hash of the three, so that a row whose days are all past their
-- retention has no name any more; its days are then after all others.
CREATE TABLE usages (
    usage_id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    method TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ANSWERED', 'REFUSED', 'LIMITED', 'FAILED')),
    first_day BIGINT NOT NULL,
    last_day BIGINT NOT NULL,
    last_seen_time BIGINT NOT NULL,
    days TEXT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (first_day <= last_day)
);
CREATE INDEX usages_by_method ON usages (method, client, outcome);
CREATE INDEX usages_by_client ON usages (client, method, outcome);
CREATE INDEX usages_by_first_day ON usages (first_day);
