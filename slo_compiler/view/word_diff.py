"""Two texts, word by word: what is gone in [-...-], what is new in {+...+}, as git writes it."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+|[^\w\s]")
_AROUND = 3  # words that are kept around a change
_PAIRS = 4_000_000  # of words that are compared; the time grows with their number


def word_diff(old: str, new: str) -> str:
    """Show the differences of two texts; of what they share, the words next to them."""
    before, after = _words(old), _words(new)
    if len(before) * len(after) > _PAIRS:
        return _coarse(before, after)
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    written = []
    for number, (kind, i, j, k, end) in enumerate(blocks):
        if kind == "equal":
            first, last = number == 0, number == len(blocks) - 1
            written.append(_shortened(before[i:j], first=first, last=last))
            continue
        gone, come = "".join(before[i:j]), "".join(after[k:end])
        written.append(f"[-{gone.strip()}-]" if gone else "")
        written.append(f"{{+{come.strip()}+}}" if come else "")
        written.append(" " if (come or gone).endswith(" ") else "")
    return "".join(written).strip()


def _coarse(before: list[str], after: list[str]) -> str:
    """Show how many words differ between what two long texts begin and end with."""
    shorter = min(len(before), len(after))
    start = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    rest = shorter - start
    end = next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)
    gone, come = (len(words) - start - end for words in (before, after))
    if (gone + _AROUND) * (come + _AROUND) <= _PAIRS:
        middle = [words[max(start - _AROUND, 0) : len(words) - end] for words in (before, after)]
        return f"... {word_diff(*map(''.join, middle))} ..."
    return f"... [-{gone:,} words-]{{+{come:,} words+}} ..."


def _words(text: str) -> list[str]:
    """Split a text; each word keeps the space after it, as one blank."""
    flat = " ".join(text.split())
    return [flat[m.start() : m.end()] + _space(flat, m.end()) for m in _WORD.finditer(flat)]


def _space(text: str, end: int) -> str:
    return " " if text[end : end + 1] == " " else ""


def _shortened(words: list[str], *, first: bool, last: bool) -> str:
    if first:
        return ("... " if len(words) > _AROUND else "") + "".join(words[-_AROUND:])
    if last:
        return "".join(words[:_AROUND]) + (" ..." if len(words) > _AROUND else "")
    if len(words) <= 2 * _AROUND:
        return "".join(words)
    return "".join(words[:_AROUND]) + " ... " + "".join(words[-_AROUND:])
