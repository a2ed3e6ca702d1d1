-- What becomes of what cases ask for, and the notices to those who answer for accounts (service/desk).
-- Times are whole microseconds since 1970-01-01 UTC.

-- One row for each request that somebody has looked at; written before it is tried.
CREATE TABLE case_try (
    request      TEXT NOT NULL PRIMARY KEY REFERENCES case_request (id),
    response     TEXT NOT NULL,
    state        TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    tried_at     INTEGER,
    next_try_at  INTEGER,
    said_yes     TEXT NOT NULL,
    answer       TEXT NOT NULL,
    words        TEXT NOT NULL,
    checklist    TEXT NOT NULL,
    undo_at      INTEGER
) WITHOUT ROWID;
CREATE INDEX case_try_due ON case_try (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX case_try_undo ON case_try (undo_at) WHERE undo_at IS NOT NULL;
CREATE INDEX case_try_tried ON case_try (response, tried_at);

-- How far the desk has read what the rest of the service writes.  What was there before there was a desk opens nothing.
CREATE TABLE desk_place (
    source  TEXT NOT NULL PRIMARY KEY,
    number  INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO desk_place (source, number) SELECT 'responses', coalesce(max(id), 0) FROM response_turn;
INSERT INTO desk_place (source, number) SELECT 'listings', coalesce(max(id), 0) FROM alarm;

-- News that a case cannot take up where it stands, until it stands where it waits for them.
CREATE TABLE case_pending (
    id         TEXT NOT NULL PRIMARY KEY,
    desk_case  TEXT NOT NULL REFERENCES desk_case (id),
    at         INTEGER NOT NULL,
    document   TEXT NOT NULL
) WITHOUT ROWID;

-- A notice to somebody; written before it is handed over.
CREATE TABLE owner_notice (
    id          INTEGER PRIMARY KEY,
    request     TEXT NOT NULL,
    desk_case   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    account     TEXT NOT NULL,
    role        TEXT NOT NULL,
    channel     TEXT NOT NULL,
    address     TEXT NOT NULL,
    begun_at    INTEGER NOT NULL,
    state       TEXT NOT NULL,
    words       TEXT NOT NULL,
    queue_id    TEXT NOT NULL,
    link_digest TEXT NOT NULL,
    bounced_at  INTEGER
);
CREATE INDEX owner_notice_request ON owner_notice (request);
CREATE INDEX owner_notice_begun ON owner_notice (begun_at);
CREATE INDEX owner_notice_queue_id ON owner_notice (queue_id) WHERE queue_id <> '';
CREATE INDEX owner_notice_address ON owner_notice (address);
