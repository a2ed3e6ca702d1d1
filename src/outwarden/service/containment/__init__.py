"""Containment where passwords, sessions and rules are kept: carried out step by step, verified, undone."""
