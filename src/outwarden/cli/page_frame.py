"""The frame that all our pages share: complete in itself, no script, no request to anywhere.

A policy in its head forbids both; the style stands in the page, light or dark as its reader prefers.
Text that strangers chose is escaped twice: control characters by ``plain``, markup by the template.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from outwarden import __version__


def framed(template: str, *, verdict: str, read: list[str], caution: str, **values: object) -> str:
    """Return a page as HTML: the template ``NAME.html`` in the frame.

    ``verdict`` is a word of ``Verdict``, which gives the page its colour; ``read`` says what the answer
    rests on, ``caution`` how the page is to be handled.
    """
    style = _template_text("page.css")
    environment = Environment(
        loader=FunctionLoader(_template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        style=style,
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        verdict=verdict,
        read=read,
        caution=caution,
        version=__version__,
        **values,
    )


def _template_text(name: str) -> str:
    return files("outwarden.cli").joinpath("templates", name).read_text(encoding="utf-8")
