-- What is remembered of each account: when it was last heard of, and its record as bytes.
-- No index on the former: it changes with every save, and is asked for once, before all is read anyway.
CREATE TABLE account_record (
    account   TEXT NOT NULL UNIQUE,
    heard_at  INTEGER NOT NULL,
    record    BLOB NOT NULL
);

-- What accounts share: one row, of the moment of the last save.
CREATE TABLE judge_state (
    number  INTEGER NOT NULL UNIQUE CHECK (number = 1),
    state   BLOB NOT NULL
);

-- Records that could not be read, and why: the account began anew, and what it was is kept for whoever looks into it.
CREATE TABLE account_record_unreadable (
    account   TEXT NOT NULL,
    record    BLOB NOT NULL,
    reason    TEXT NOT NULL,
    found_at  INTEGER NOT NULL
);
