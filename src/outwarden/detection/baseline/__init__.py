"""What is usual for this server at this hour, and what stands above it: shares of bad results, and queues.

``seasons`` knows which past hours are like this one, ``shares`` and ``levels`` what was usual in them, ``troubles``
and ``words`` make findings of what is not; ``server_record`` is all of it in a form that can be kept.
"""
