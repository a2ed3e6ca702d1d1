"""Asking names: our own look-up path, made for asking many blocklists about many addresses at once."""
