"""Parts that all HTML pages share: templates that escape every text, and a policy that lets a page request nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

COMPACT = (",", ":")
"""Separators of JSON in a page."""


def content_policy(script: str, style: str) -> str:
    """Return the content security policy of a page with one script and one style element.

    It allows both by their digests, images inside the page, and nothing else: no other script can run, whatever a name in a
    scenario contains, and the page cannot request anything.
    """
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; style-src-attr 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def make_environment(package: str) -> Environment:
    """Return the templates of a package, which escape every text and write compact JSON."""
    environment = Environment(
        loader=PackageLoader(package, ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"separators": COMPACT, "allow_nan": False}
    return environment


@cache
def read_part(package: str, name: str) -> str:
    """Return the text of a file in a package."""
    return files(package).joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
