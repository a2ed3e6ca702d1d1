"""The past as a tape, and what a judge would have made of it: who would have been held or blocked, when, and why."""
