"""The wiring: where rooms are joined, so that a command can ask one question and get one answer."""
