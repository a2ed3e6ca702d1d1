"""What is done by itself about an account, and how that is kept, told and taken back.

``automatic`` writes down what begins and ends, ``book`` knows at any moment what is in force, ``words`` says it to
whoever hands mail in, ``calls`` calls a person, and ``held_mail`` does what is to be done in the mail server's queue.
Who tells the judge of it is the caller.
"""
