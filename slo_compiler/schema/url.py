"""Addresses that Alertmanager calls: one that it cannot read breaks its configuration for all."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from slo_compiler.schema.base import invalid, shown
from slo_compiler.schema.texts import plain_text

_HOST = r"(?:\[[0-9a-fA-F:.]+\]|[^\s/?#@:%\[\]<>\"\\^`{|}]+)"
_PART = r"(?:[^\s?#%]|%[0-9a-fA-F]{2})*"
_URL = re.compile(
    rf"https?://{_HOST}(?::(?P<port>[0-9]{{1,5}}))?(?:/{_PART})?(?:\?[^\s#]*)?(?:#{_PART})?"
)
_LAST_PORT = 65_535


def is_port(text: str) -> bool:
    """Whether a text is the number of a port."""
    return text.isdecimal() and text.isascii() and 0 < int(text) <= _LAST_PORT


def _url(value: object) -> str:
    url = plain_text(value)
    found = _URL.fullmatch(url)
    if found and (found["port"] is None or is_port(found["port"])):
        return url
    if re.match(r"https?://[^/\s]*@", url):
        raise invalid(
            "inline-secret",
            "the URL holds credentials",
            "leave them out, or store the URL in a file and name it: url_file",
        )
    if re.match(r"https?://", url):
        help_ = "write https://host:port/path, a port up to 65535, and % as %25"
    else:
        help_ = "begin with http:// or https://"
    raise invalid("url", f"{shown(url)} is not a URL", help_)


Url = Annotated[str, BeforeValidator(_url), WithJsonSchema({"type": "string", "format": "uri"})]
