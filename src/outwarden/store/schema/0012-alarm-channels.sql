-- Whom a notice is told besides the command, each on its own: a channel that is down holds up no other.
CREATE TABLE telling (
    notice       INTEGER NOT NULL REFERENCES notice (id),
    channel      TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_try_at  INTEGER NOT NULL,
    settled_at   INTEGER,
    outcome      TEXT,
    PRIMARY KEY (notice, channel)
) WITHOUT ROWID;
CREATE INDEX telling_waiting ON telling (next_try_at) WHERE settled_at IS NULL;

-- Who has taken it up: then nobody further is called.
ALTER TABLE notice ADD COLUMN answered_at INTEGER;
ALTER TABLE notice ADD COLUMN answered_by TEXT;
