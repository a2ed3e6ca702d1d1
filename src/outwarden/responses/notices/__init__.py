"""What the owner of an account, and whoever answers for it, is told: in their language, by mail or by a text message.

``facts`` is what can be said, ``wording`` how figures and times are said in a language, ``letter`` makes a text of a
template, ``message`` a mail of the text, ``guards`` says whether it may be sent at all.  They only think.  ``texts``
reads the templates, ``smtp`` and ``webhook`` send.  ``docs/reference/notices.md`` explains them.
"""
