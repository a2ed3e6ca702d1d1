"""Postfix's SMTP access policy delegation: requests, the recipients of each message, conversation and listener."""
