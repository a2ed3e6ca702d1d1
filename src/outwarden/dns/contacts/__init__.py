"""Who answers for an address or a domain: whom to tell that mail, logins or attacks come from there.

Five modules do: ``https_pages``, ``names``, ``page_cache``, ``rdap_registry`` and ``search`` ask, read and keep.  All
others think: text in, values out.
"""
