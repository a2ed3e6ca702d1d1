"""Reports of abuse to others, as mail."""
