"""The live service of one machine: follows the logs, stands at the gate, judges, and counts nothing twice.

One thread runs an asyncio loop and owns the judge and everything in memory; nothing in it waits for a disk, a
program or a resolver.  Beside it: a thread for each log, one that writes the store, one that acts on the mail server.

What is counted and what is written down go together: the records of the judge are saved in one transaction with
the events that changed them.  So an event has been counted exactly when the store has it, whenever the
process dies, and what the log holds beyond that is read again.
"""
