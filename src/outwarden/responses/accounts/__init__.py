"""The places where an account's password lives, and what ends a theft of it: lock, new secret, sessions, leftovers."""
