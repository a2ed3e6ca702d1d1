-- What was done to accounts where their passwords, sessions and rules are kept: each step is here before it is tried.
-- `before` and `after` are sealed, as hashes of passwords are in them; they go when the undo is over.
-- Times are whole microseconds since 1970-01-01 UTC.
CREATE TABLE containment_steps (
    id          INTEGER PRIMARY KEY,
    request     TEXT NOT NULL,
    account     TEXT NOT NULL,
    response    TEXT NOT NULL,
    place       TEXT NOT NULL,
    deed        TEXT NOT NULL,
    object      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    asked_by    TEXT NOT NULL,
    begun_at    INTEGER NOT NULL,
    undo_until  INTEGER NOT NULL,
    state       TEXT NOT NULL,
    changed_at  INTEGER NOT NULL,
    words       TEXT NOT NULL,
    before      BLOB,
    after       BLOB,
    -- The same request, asked again after a crash, finds its own step.
    UNIQUE (request, place, deed, object)
);
CREATE INDEX containment_steps_account ON containment_steps (account, id);
CREATE INDEX containment_steps_begun ON containment_steps (begun_at);
CREATE INDEX containment_steps_kept ON containment_steps (undo_until) WHERE before IS NOT NULL OR after IS NOT NULL;
