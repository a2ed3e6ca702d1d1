-- An alarm may also be about a thing that was done, or waits for a person: then it has no listing, and `about` names it.
CREATE TABLE alarm_about (
    id           INTEGER PRIMARY KEY,
    listing      INTEGER REFERENCES listing (id),
    about        TEXT NOT NULL DEFAULT '',
    turn         TEXT NOT NULL,
    line         TEXT NOT NULL,
    body         TEXT NOT NULL,
    written_at   INTEGER NOT NULL,
    notice       INTEGER REFERENCES notice (id),
    CHECK ((listing IS NULL) = (about <> '')),
    UNIQUE (listing, turn)
);
INSERT INTO alarm_about (id, listing, turn, line, body, written_at, notice)
    SELECT id, listing, turn, line, body, written_at, notice FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_about RENAME TO alarm;
CREATE INDEX alarm_waiting ON alarm (id) WHERE notice IS NULL;
CREATE INDEX alarm_notice ON alarm (notice) WHERE notice IS NOT NULL;
CREATE UNIQUE INDEX alarm_thing ON alarm (about) WHERE about <> '';

-- What was done within the last hour is counted before more is done.
CREATE INDEX response_turn_at ON response_turn (at);
