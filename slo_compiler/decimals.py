"""Print decimals: exact, positional, without zeros at the end."""

from __future__ import annotations

from decimal import Decimal


def plain(number: Decimal) -> str:
    """Return a number without an exponent: 99.90 is 99.9, and 1E+3 is 1000."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
