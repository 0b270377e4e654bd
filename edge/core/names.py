"""Names as they come: any length, any script, the middle dot in its many code points.  Compared, and masked.

Chinese systems write the dot of names like 阿卜杜·热合曼 with half a dozen code points, and characters beyond the
Basic Multilingual Plane, with variation selectors, are names too: everything here counts what a reader would call
a character, never code points.
"""

import unicodedata

MIDDLE_DOT = "\u00b7"
DOTS = frozenset("\u00b7\u2022\u2027\u2219\u30fb\uff65\u22c5\uff0e\u2e31\ua78f\u0387\u2024")
JOINER = "\u200d"
LONGEST_MASK = 20  # characters; a longer name is cut in its middle, for the page and the roster


def normalize(name: str) -> str:
    """NFC, one kind of middle dot without spaces round it, single spaces, nothing invisible at the ends."""
    unified = "".join(MIDDLE_DOT if c in DOTS else c for c in unicodedata.normalize("NFC", name))
    unified = _stops_between_ideographs(unified)
    parts = (" ".join(part.split()) for part in unified.split(MIDDLE_DOT))
    return MIDDLE_DOT.join(part for part in parts if part)


def same(one: str, other: str) -> bool:
    """Whether two spellings are the same name: code points of dots, composition, width and case do not count."""
    return _key(one) == _key(other)


def mask(name: str) -> str:
    """王小英 to 王*英, 王英 to 王*; dots and spaces stay, so that the owner recognizes it and nobody else does."""
    clusters = graphemes(normalize(name))
    letters = [place for place, cluster in enumerate(clusters) if cluster not in {MIDDLE_DOT, " "}]
    if len(letters) < 2:
        return "*" * len(letters)
    shown = {letters[0]} if len(letters) == 2 else {letters[0], letters[-1]}
    masked = [c if place in shown or place not in letters else "*" for place, c in enumerate(clusters)]
    if len(masked) > LONGEST_MASK:
        masked = [masked[0], "*", "*", "*", masked[-1]]
    return "".join(masked)


def graphemes(text: str) -> list[str]:
    """The text as a reader's characters: a base with its combining marks, selectors and joined parts."""
    clusters: list[str] = []
    for c in text:
        if clusters and (unicodedata.category(c)[0] == "M" or c == JOINER or clusters[-1].endswith(JOINER)):
            clusters[-1] += c
        else:
            clusters.append(c)
    return clusters


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", normalize(name)).casefold())


def _stops_between_ideographs(text: str) -> str:
    """Old records type the dot as a full stop; in Latin names a full stop is a full stop."""
    return "".join(
        MIDDLE_DOT
        if c == "." and 0 < i < len(text) - 1 and _ideograph(text[i - 1]) and _ideograph(text[i + 1])
        else c
        for i, c in enumerate(text)
    )


def _ideograph(c: str) -> bool:
    return unicodedata.name(c, "").startswith("CJK ")
