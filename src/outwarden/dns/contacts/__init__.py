"""Who answers for an address or a domain: whom to tell that mail, logins or attacks come from there.

Five modules do: ``host_addresses``, ``https_pages``, ``page_cache``, ``rdap_registry`` and ``search`` ask, read and
keep.  All others think: text in, values out.
"""
