"""The store as one thing: the file and what is in it."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from outwarden.store.account_records import AccountRecords
from outwarden.store.alarms import Alarms
from outwarden.store.audit import Audit
from outwarden.store.case_tries import CaseTries
from outwarden.store.cases import Cases
from outwarden.store.containment import ContainmentSteps
from outwarden.store.database import Database
from outwarden.store.delistings import Delistings
from outwarden.store.ingest import Ingest
from outwarden.store.listings import Listings
from outwarden.store.messages import Messages
from outwarden.store.names import Names
from outwarden.store.owner_notices import OwnerNotices
from outwarden.store.responses import Responses
from outwarden.store.sealing import Seal
from outwarden.store.sums import Sums
from outwarden.store.takedowns import Takedowns
from outwarden.store.tellings import Tellings


class Store:
    """One open store.  Close it, or use it with ``with``."""

    def __init__(self, path: Path, *, read_only: bool = False, writer: bool = False) -> None:
        """Open it; ``writer`` is the one service that writes here.  Raises ``StoreUnusable``."""
        self._database = Database(path, read_only=read_only)
        self.path = path
        self.listings = Listings(self._database)
        self.alarms = Alarms(self._database)
        self.tellings = Tellings(self._database, self.alarms)
        self.delistings = Delistings(self._database, self.listings)
        self.account_records = AccountRecords(self._database)
        self.audit = Audit(self._database)
        self.takedowns = Takedowns(self._database, self.audit)
        self.responses = Responses(self._database, self.audit)
        self.cases = Cases(self._database, self.audit)
        seal = Seal(path.with_name(f"{path.name}.seal"))
        self.containment = ContainmentSteps(self._database, self.audit, seal)
        self.case_tries = CaseTries(self._database)
        self.owner_notices = OwnerNotices(self._database)
        names = Names(self._database)
        self.ingest = Ingest(self._database, self.account_records, names)
        self.messages = Messages(self._database, names)
        self.sums = Sums(self._database, names)
        if writer:
            try:
                self._database.be_the_writer()
            except BaseException:
                self.close()
                raise

    def writing(self) -> AbstractContextManager[None]:
        """Everything inside is written, or nothing.  Raises ``StoreUnusable``."""
        return self._database.writing()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
