"""How Sphinx builds the handbook; ``make docs`` calls it with every warning as an error."""

import re
from pathlib import Path

_source = Path(__file__).resolve().parent.parent / "src" / "outwarden" / "__init__.py"
_version = re.search(r'__version__ = "([^"]+)"', _source.read_text(encoding="utf-8"))
if _version is None:
    raise SystemExit(f"no __version__ in {_source}")

project = "Outwarden"
author = "the Outwarden maintainers"
copyright = author
release = version = _version[1]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True
highlight_language = "none"

myst_enable_extensions = ["colon_fence", "deflist"]
# Every heading down to the third level can be linked to by its own words.
myst_heading_anchors = 3

html_theme = "alabaster"
html_title = f"Outwarden {release}"
html_theme_options = {"description": "The warden of what leaves", "page_width": "60rem", "fixed_sidebar": True}
html_show_sourcelink = False
html_show_sphinx = False
