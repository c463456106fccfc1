"""What all pages share: their templates, and how a link is written.

Belongs here: loading a template, marks that escape what is in them. Does not belong here: what a page shows.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def template(name: str) -> jinja2.Template:
    """A template of the pages: everything is escaped, a name that is not given is an error."""
    loader = jinja2.FileSystemLoader(_TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def link(text: str, address: str) -> Markup:
    """A link when there is an https address, else the text."""
    if address.startswith("https://"):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, text)
    return escape(text)
