-- Programs that call from outside. Lists are words with a space between them.
CREATE TABLE api_clients (
    api_client_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('PARTNER', 'APPLICATION', 'CUSTOMER')),
    roles TEXT NOT NULL,
    account_ids TEXT NOT NULL,
    partner_id TEXT,
    contact TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('LIVE', 'SUSPENDED')),
    keys_made BIGINT NOT NULL CHECK (keys_made >= 0),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((kind = 'PARTNER') = (partner_id IS NOT NULL))
);

-- What is known of their keys. The key itself is nowhere: only its hash is, by which a presented key is found.
CREATE TABLE api_keys (
    api_key_id TEXT PRIMARY KEY,
    api_client_id TEXT NOT NULL,
    prefix TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    expire_time BIGINT,
    last_use_time BIGINT,
    revoke_time BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (key_hash);
CREATE INDEX api_keys_by_api_client ON api_keys (api_client_id, api_key_id);
