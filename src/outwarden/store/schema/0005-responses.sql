-- What was done to a mail server or to the mail in it, written down before it was tried.  Rows are only ever added:
-- how a response stands is its newest turn.

CREATE TABLE response (
    id        INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    reason    TEXT NOT NULL,
    asked_by  TEXT NOT NULL,
    undo      TEXT NOT NULL
);
CREATE INDEX response_subject ON response (kind, subject);

CREATE TABLE response_turn (
    id          INTEGER PRIMARY KEY,
    response    INTEGER NOT NULL REFERENCES response (id),
    state       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    expires_at  INTEGER,
    evidence    TEXT NOT NULL,
    remark      TEXT NOT NULL
);
CREATE INDEX response_turn_response ON response_turn (response, id);
