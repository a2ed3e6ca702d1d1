"""How the operator's commands reach the running service: a UNIX socket, one question, one answer, each a line of JSON.

``server`` is the service's side, ``client`` the commands'; ``status`` and ``records`` are what answers are made of.
"""
