"""JSON that a site declares, with places in braces: what stands there, and the values put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACE = re.compile(r"\{([a-z]+)\}")


def filled(template: Any, values: Mapping[str, str], escaped: Callable[[str], str] = str) -> Any:  # noqa: ANN401 (JSON)
    """Return a template with values put in, in one pass: what a value holds is never taken for a place."""
    if isinstance(template, str):
        return _PLACE.sub(lambda match: escaped(values[match[1]]) if match[1] in values else match[0], template)
    if isinstance(template, Mapping):
        return {key: filled(each, values, escaped) for key, each in template.items()}
    if isinstance(template, list | tuple):
        return [filled(each, values, escaped) for each in template]
    return template


def places_in(template: Any) -> set[str]:  # noqa: ANN401 (JSON)
    """Return the names in braces that a template has."""
    if isinstance(template, str):
        return set(_PLACE.findall(template))
    if isinstance(template, Mapping):
        return set().union(*map(places_in, template.values())) if template else set()
    if isinstance(template, list | tuple):
        return set().union(*map(places_in, template)) if template else set()
    return set()
