-- Cases, what happened to them, what they ask for, and what belongs to nobody known.
-- Times are whole microseconds since 1970-01-01 UTC; documents are JSON.

-- A case as it stands.  `version` counts its changes: whoever changes it says which one he has seen.
CREATE TABLE desk_case (
    id           TEXT NOT NULL PRIMARY KEY,
    subscriber   TEXT NOT NULL,
    trouble      TEXT NOT NULL,
    state        TEXT NOT NULL,
    mistaken     INTEGER NOT NULL,
    opened_at    INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    next_due_at  INTEGER,
    assigned_to  TEXT NOT NULL,
    version      INTEGER NOT NULL,
    document     TEXT NOT NULL
) WITHOUT ROWID;
-- Whatever goes wrong in a program: never two.
CREATE UNIQUE INDEX desk_case_open ON desk_case (subscriber, trouble) WHERE state <> 'closed';
CREATE INDEX desk_case_subscriber ON desk_case (subscriber, opened_at);
CREATE INDEX desk_case_due ON desk_case (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX desk_case_changed ON desk_case (changed_at);

-- Each happening is taken in once.
CREATE TABLE case_happening (
    id        TEXT NOT NULL PRIMARY KEY,
    desk_case TEXT NOT NULL REFERENCES desk_case (id),
    at        INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE case_entry (
    number    INTEGER PRIMARY KEY,
    desk_case TEXT NOT NULL REFERENCES desk_case (id),
    at        INTEGER NOT NULL,
    document  TEXT NOT NULL
);
CREATE INDEX case_entry_case ON case_entry (desk_case, number);

-- What a case asks for, until somebody has answered.
CREATE TABLE case_request (
    id        TEXT NOT NULL PRIMARY KEY,
    desk_case TEXT NOT NULL REFERENCES desk_case (id),
    asked_at  INTEGER NOT NULL,
    waits     INTEGER NOT NULL,
    document  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX case_request_waits ON case_request (asked_at) WHERE waits;
CREATE INDEX case_request_case ON case_request (desk_case);

-- The unresolved tray.
CREATE TABLE case_unresolved (
    id        TEXT NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    why       TEXT NOT NULL,
    document  TEXT NOT NULL
) WITHOUT ROWID;
