-- Reports to whoever answers for an address or domain, and each mail that carried one.  Written before it is sent.
CREATE TABLE takedown (
    id           INTEGER PRIMARY KEY,
    target       TEXT NOT NULL,
    incident     BLOB NOT NULL,
    report_id    TEXT NOT NULL,
    asked_by     TEXT NOT NULL,
    contacts     TEXT NOT NULL,
    report       BLOB NOT NULL,
    begun_at     INTEGER NOT NULL,
    answered_at  INTEGER,
    answer       TEXT NOT NULL DEFAULT ''
);
CREATE INDEX takedown_target ON takedown (target, begun_at);

CREATE TABLE takedown_mail (
    id          INTEGER PRIMARY KEY,
    takedown    INTEGER NOT NULL REFERENCES takedown (id),
    contact     TEXT NOT NULL,
    begun_at    INTEGER NOT NULL,
    state       TEXT NOT NULL,
    words       TEXT NOT NULL,
    queue_id    TEXT NOT NULL,
    bounced_at  INTEGER
);
CREATE INDEX takedown_mail_of ON takedown_mail (takedown);
CREATE INDEX takedown_mail_begun ON takedown_mail (begun_at);
CREATE INDEX takedown_mail_queue_id ON takedown_mail (queue_id) WHERE queue_id <> '';
