"""What Outwarden remembers, in one SQLite file."""
