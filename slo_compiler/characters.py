"""Which characters of a text are not seen, or show the text around them in another order?"""

from __future__ import annotations

# Parts of classes of regular expressions: what a reviewer does not see, and a machine reads.
REORDERING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# The joiners U+200C and U+200D are not among them: emoji and some scripts are written with them.
UNSEEN = "\u00ad\u200b\u2060-\u2065\u206a-\u206f\ufff9-\ufffb\U000e0000-\U000e007f"
