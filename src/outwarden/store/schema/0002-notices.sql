-- A notice is one run of the site's command: the alarms that it tells of together, once.
-- It is written before it is sent, so that a service that was killed meanwhile goes on with the same one.
CREATE TABLE notice (
    id           INTEGER PRIMARY KEY,
    remark       TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_try_at  INTEGER NOT NULL,
    settled_at   INTEGER,
    outcome      TEXT
);
CREATE INDEX notice_waiting ON notice (next_try_at) WHERE settled_at IS NULL;
CREATE INDEX notice_made ON notice (made_at);

-- Each alarm that is there has a notice of its own with its own number, as its receipt goes by that.
INSERT INTO notice (id, remark, made_at, attempts, next_try_at, settled_at, outcome)
    SELECT id, '', written_at, attempts, next_try_at, settled_at, outcome FROM alarm;

-- An alarm without a notice waits.
CREATE TABLE alarm_of_notice (
    id           INTEGER PRIMARY KEY,
    listing      INTEGER NOT NULL REFERENCES listing (id),
    turn         TEXT NOT NULL,
    line         TEXT NOT NULL,
    body         TEXT NOT NULL,
    written_at   INTEGER NOT NULL,
    notice       INTEGER REFERENCES notice (id),
    UNIQUE (listing, turn)
);
INSERT INTO alarm_of_notice (id, listing, turn, line, body, written_at, notice)
    SELECT id, listing, turn, line, body, written_at, id FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_of_notice RENAME TO alarm;
CREATE INDEX alarm_waiting ON alarm (id) WHERE notice IS NULL;
CREATE INDEX alarm_notice ON alarm (notice) WHERE notice IS NOT NULL;
