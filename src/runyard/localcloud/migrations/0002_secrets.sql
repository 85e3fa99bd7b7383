-- Secret values, sealed (localcloud/secrets/sealing.py says how). A plain value is never here.

CREATE TABLE secret_version (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (name, version)
);
