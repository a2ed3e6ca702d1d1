-- Mail as it happened: messages, what became of them, and sums of it; and how far the logs were read.
-- Times are whole microseconds since 1970-01-01 UTC.  Rows point at each other by number; names are not declared as
-- references, as each deletion of a name would look through every row for it.

-- Words that come again and again: accounts, hosts, destinations, relays, status codes, classes.  ``used_at`` is at most
-- a day older than the newest row that has the name.
CREATE TABLE name (
    number   INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    used_at  INTEGER NOT NULL
);
CREATE INDEX name_used ON name (used_at);

-- A message that was handed in.  Without ``event_id`` its submission was not seen (the log begins later) and ``at`` is
-- that of the first that was heard of it.  Without ``sender`` that is the account.
CREATE TABLE message (
    number          INTEGER PRIMARY KEY,
    at              INTEGER NOT NULL,
    event_id        BLOB,
    host            INTEGER NOT NULL,
    queue_id        TEXT NOT NULL,
    account         INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    client_address  TEXT,
    sender          TEXT,
    recipients      INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    message_id      TEXT,
    subject         TEXT,
    fingerprint     TEXT,
    script          INTEGER,
    seen            TEXT
);
CREATE INDEX message_at ON message (at);
CREATE INDEX message_account ON message (account, at);
CREATE INDEX message_queue_id ON message (queue_id, host, at);

-- A delivery attempt.  The time comes first in the key: what is new stands together, and so does what is forgotten.
CREATE TABLE attempt (
    at                  INTEGER NOT NULL,
    event_id            BLOB NOT NULL,
    message             INTEGER REFERENCES message (number),
    recipient           TEXT NOT NULL,
    original_recipient  TEXT,
    outcome             INTEGER NOT NULL,
    class               INTEGER,
    status              INTEGER,
    relay               INTEGER,
    reply               TEXT,
    listing             INTEGER,
    listed              TEXT,
    outbound            INTEGER NOT NULL,
    PRIMARY KEY (at, event_id)
) WITHOUT ROWID;
CREATE INDEX attempt_message ON attempt (message) WHERE message IS NOT NULL;

-- A bounce that our server returned to the sender (``notification`` is its queue ID), or a complaint.
CREATE TABLE feedback (
    at            INTEGER NOT NULL,
    event_id      BLOB NOT NULL,
    message       INTEGER REFERENCES message (number),
    account       INTEGER NOT NULL,
    complaint     INTEGER NOT NULL,
    recipient     TEXT NOT NULL,
    notification  TEXT NOT NULL,
    PRIMARY KEY (at, event_id)
) WITHOUT ROWID;
CREATE INDEX feedback_message ON feedback (message) WHERE message IS NOT NULL;
CREATE INDEX feedback_account ON feedback (account, at);

-- Logins are many and alike: of each only that it was counted, and the count by day, account and client network.
-- Strangers try any name, so the account is text here, and leaves nothing behind.
CREATE TABLE login (
    at        INTEGER NOT NULL,
    event_id  BLOB NOT NULL,
    PRIMARY KEY (at, event_id)
) WITHOUT ROWID;
CREATE TABLE login_sums (
    account  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    network  TEXT NOT NULL,
    ok       INTEGER NOT NULL,
    failed   INTEGER NOT NULL,
    PRIMARY KEY (account, at, network)
) WITHOUT ROWID;
CREATE INDEX login_sums_at ON login_sums (at);

-- ``step`` is 5, 60 or 1440 minutes, ``at`` the begin of one.  ``subject`` is 0 for the whole server (``name`` 0),
-- 1 for an account, 2 for a destination.  The newest rows of all subjects stand together, as they change together.
CREATE TABLE sums (
    step        INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    subject     INTEGER NOT NULL,
    name        INTEGER NOT NULL,
    messages    INTEGER NOT NULL,
    recipients  INTEGER NOT NULL,
    delivered   INTEGER NOT NULL,
    kept_here   INTEGER NOT NULL,
    deferred    INTEGER NOT NULL,
    bounced     INTEGER NOT NULL,
    as_spam     INTEGER NOT NULL,
    unknown     INTEGER NOT NULL,
    expired     INTEGER NOT NULL,
    returned    INTEGER NOT NULL,
    complaints  INTEGER NOT NULL,
    PRIMARY KEY (step, at, subject, name)
) WITHOUT ROWID;

-- How far each log has been read, and other states that are saved as bytes; in the transaction of the events.
CREATE TABLE log_position (
    name      TEXT NOT NULL PRIMARY KEY,
    position  BLOB NOT NULL,
    at        INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE service_state (
    name   TEXT NOT NULL PRIMARY KEY,
    state  BLOB NOT NULL
);

-- Messages before this were forgotten: one row.  What is read again of that time is not written again.
CREATE TABLE forgotten (
    number  INTEGER PRIMARY KEY CHECK (number = 1),
    before  INTEGER NOT NULL
);
