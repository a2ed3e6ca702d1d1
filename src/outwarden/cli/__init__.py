"""The operator's commands: one file per verb, each prints what it knows and exits meaningfully.

``main.py`` holds the root command and the table of verbs; a verb is imported when it is called.
"""
