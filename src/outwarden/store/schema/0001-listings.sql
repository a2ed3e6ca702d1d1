-- What blocklists said, since when; the alarms about it; and the way off each list.
-- Times are whole microseconds since 1970-01-01 UTC.

-- The newest answer for each pair.
CREATE TABLE answer (
    target    TEXT NOT NULL,
    list      TEXT NOT NULL,
    answer    TEXT NOT NULL,
    why_not   TEXT,
    meaning   TEXT NOT NULL,
    major     INTEGER NOT NULL,
    asked_at  INTEGER NOT NULL,
    PRIMARY KEY (target, list)
) WITHOUT ROWID;

-- One row for each time that a list had a target; what it said is what it said last.
CREATE TABLE listing (
    id            INTEGER PRIMARY KEY,
    target        TEXT NOT NULL,
    list          TEXT NOT NULL,
    began_at      INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    quiet_since   INTEGER,
    ended_at      INTEGER,
    returns       INTEGER NOT NULL,
    codes         TEXT NOT NULL,
    meaning       TEXT NOT NULL,
    said          TEXT,
    page          TEXT,
    fixed_at      INTEGER,
    cause         TEXT
);
CREATE UNIQUE INDEX listing_open ON listing (target, list) WHERE ended_at IS NULL;
CREATE INDEX listing_pair ON listing (target, list, began_at);

-- Each asking of a list to take the target off.
CREATE TABLE delisting_request (
    listing       INTEGER NOT NULL REFERENCES listing (id),
    requested_at  INTEGER NOT NULL
);
CREATE INDEX delisting_request_listing ON delisting_request (listing);

-- Written in the transaction that begins or ends the listing, so that there is one for each, whatever happens.
CREATE TABLE alarm (
    id           INTEGER PRIMARY KEY,
    listing      INTEGER NOT NULL REFERENCES listing (id),
    turn         TEXT NOT NULL,
    line         TEXT NOT NULL,
    body         TEXT NOT NULL,
    written_at   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_try_at  INTEGER NOT NULL,
    settled_at   INTEGER,
    outcome      TEXT,
    UNIQUE (listing, turn)
);
CREATE INDEX alarm_waiting ON alarm (next_try_at) WHERE settled_at IS NULL;
