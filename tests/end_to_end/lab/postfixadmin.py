"""PostfixAdmin 4's tables as it makes them for each database, and the questions that Dovecot asks them."""

from lab.account_life import APP, CARL, CARLS, OLD, ROSA

_MAILBOX = """\
CREATE TABLE mailbox (
  username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) DEFAULT '' NOT NULL,
  maildir varchar(255) NOT NULL, quota bigint DEFAULT 0 NOT NULL, local_part varchar(255) NOT NULL,
  domain varchar(255) NOT NULL, created {moment}, modified {moment}, active {yes_or_no},
  phone varchar(30) DEFAULT '' NOT NULL, email_other varchar(255) DEFAULT '' NOT NULL,
  smtp_active {yes_or_no})"""
_APP_PASSWORDS = """\
CREATE TABLE mailbox_app_password (
  id {number}, username varchar(255) DEFAULT NULL, description varchar(255) DEFAULT NULL,
  password_hash varchar(255) DEFAULT NULL)"""
_ALIAS = """\
CREATE TABLE alias (
  address varchar(255) NOT NULL PRIMARY KEY, goto text NOT NULL, domain varchar(255) NOT NULL,
  created {moment}, modified {moment}, active {yes_or_no})"""
_TYPES = {
    "postgresql": {
        "moment": "timestamp with time zone DEFAULT now()",
        "yes_or_no": "boolean DEFAULT true NOT NULL",
        "number": "SERIAL PRIMARY KEY",
    },
    "mariadb": {
        "moment": "datetime DEFAULT '2000-01-01 00:00:00' NOT NULL",
        "yes_or_no": "tinyint(1) DEFAULT 1 NOT NULL",
        "number": "int(11) AUTO_INCREMENT PRIMARY KEY",
    },
    "sqlite": {
        "moment": "datetime DEFAULT '2000-01-01 00:00:00' NOT NULL",
        "yes_or_no": "tinyint(1) DEFAULT 1 NOT NULL",
        "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
    },
}
_ACCOUNTS = """\
INSERT INTO mailbox (username, password, maildir, local_part, domain, modified, email_other) VALUES
  ('ROSA', '{PLAIN}OLD', 'rosa/', 'rosa', 'isp.example', '2026-11-20 08:00:00', 'rosa@home.example'),
  ('CARL', '{PLAIN}HIS', 'carl/', 'carl', 'isp.example', '2026-11-20 08:00:00', '')"""
_APPS = """\
INSERT INTO mailbox_app_password (id, username, description, password_hash) VALUES
  (7, 'ROSA', 'telephone', '{PLAIN}APP'), (8, 'CARL', 'telephone', '{PLAIN}HIS too')"""
_ALIASES = """\
INSERT INTO alias (address, goto, domain, modified) VALUES
  ('ROSA', 'ROSA,thief@evil.example', 'isp.example', '2026-11-25 03:00:00'),
  ('CARL', 'CARL', 'isp.example', '2026-11-25 03:00:00')"""
_WORDS = {"ROSA": ROSA, "CARL": CARL, "OLD": OLD, "APP": APP, "HIS": CARLS}
EVERYTHING = tuple(f"SELECT * FROM {table} ORDER BY 1" for table in ("mailbox", "mailbox_app_password", "alias"))  # noqa: S608
"""What shows whether all is as it was."""
_QUESTION = """\
driver = {driver}
connect = {connect}
default_pass_scheme = PLAIN
password_query = {query}
"""
# As PostfixAdmin's own page has it for two flags.
_MAY = "(('%s' = 'smtp' AND m.smtp_active = {yes}) OR ('%s' <> 'smtp' AND m.active = {yes}))"
_PASSWORD = f"SELECT m.username AS user, m.password FROM mailbox m WHERE m.username = '%u' AND {_MAY}"  # noqa: S608
# A lock must end app passwords too, so the account's own row is asked.
_APP_PASSWORD = (
    "SELECT m.username AS user, a.password_hash AS password FROM mailbox m "  # noqa: S608
    f"JOIN mailbox_app_password a ON a.username = m.username WHERE m.username = '%u' AND {_MAY}"
)


def statements(engine: str) -> tuple[str, ...]:
    """Return what makes the tables and fills them."""
    makers = (table.format(**_TYPES[engine]) for table in (_MAILBOX, _APP_PASSWORDS, _ALIAS))
    return (*makers, *(_filled(rows) for rows in (_ACCOUNTS, _APPS, _ALIASES)))


def passdbs(driver: str, connect: str) -> list[tuple[str, str]]:
    """Return Dovecot's settings: the password, and then the app password."""
    yes = "true" if driver == "pgsql" else "1"
    return [
        ("sql", _QUESTION.format(driver=driver, connect=connect, query=query.format(yes=yes)))
        for query in (_PASSWORD, _APP_PASSWORD)
    ]


def _filled(rows: str) -> str:
    for word, value in _WORDS.items():
        rows = rows.replace(word, value)
    return rows
