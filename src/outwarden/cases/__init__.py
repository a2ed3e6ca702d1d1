"""Cases: who is concerned, what is held against them, what was done, and what the playbook asks next.

Values go in and values come out: a case, its playbook and what happened give the case as it stands then, the responses
that it asks for, and the entries of its timeline.  Nothing here acts, waits or looks at a clock.
"""
