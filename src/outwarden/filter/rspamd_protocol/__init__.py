"""Rspamd's two protocols: ``CHECK RSPAMC/1.3`` as Exim speaks it, and HTTP as rspamd's other clients do."""
