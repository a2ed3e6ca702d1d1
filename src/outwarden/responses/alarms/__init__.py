"""Alarms told to people: by mail, to webhooks and chats, to syslog."""
