"""How the milter is patient: as every door is."""

from outwarden.filter.connection import Connection, Counts, Patience, Undecided

__all__ = ["Connection", "Counts", "Patience", "Undecided"]
