"""Which server to query, with which credentials: options of the command line, checked."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

_HEADER = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[\x21-\x7e][ -~\t]*)")


def base_url(text: str, header_option: str) -> str:
    """Check the URL that the API is below; credentials are for the option of headers.

    Raises:
        ValueError: it is no http(s) URL, or contains what belongs elsewhere.
    """
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not re.fullmatch("[!-~]+", text)
    ):
        raise ValueError("expected a URL such as http://prometheus:9090")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"credentials do not belong into a URL: use {header_option}")
    if parts.query or parts.fragment:
        raise ValueError("expected the URL that /api/v1/query follows, without ? and #")
    _ = parts.port  # raises ValueError for a port that is none
    return text.rstrip("/")


def header(text: str) -> tuple[str, str]:
    """Read a header.

    Raises:
        ValueError: it is none; the message does not repeat it, because it may be a secret.
    """
    match = _HEADER.fullmatch(text.strip())
    if match is None:
        raise ValueError('expected a header such as "X-Scope-OrgID: customer-b"')
    return match["name"], match["value"]


def token_header(file: Path) -> tuple[str, str]:
    """Read a bearer token from a file.

    Raises:
        ValueError: it contains no token.
    """
    token = file.read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch("[!-~]+", token):
        raise ValueError("expected a file that holds a token and nothing else")
    return "Authorization", f"Bearer {token}"
