"""Exim's ``${readsocket}``: a line that asks about an account, a line that answers."""
