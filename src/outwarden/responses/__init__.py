"""The only room that changes the outside world: what it does to a mail server, and how that is undone.

Imported by ``service`` alone.  Every deed is a list of steps that can be shown before they are taken, taken again
without harm, and verified afterwards; programs get lists of arguments, never a line for a shell.
"""
