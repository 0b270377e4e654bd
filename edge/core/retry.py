"""When to try again: exponential backoff with full jitter.  The caller brings the randomness."""

LAST_DOUBLING = 62  # beyond this every sensible ``most_s`` is reached, and floats stay finite


def delay_s(attempt: int, rand: float, first_s: float, most_s: float) -> float:
    """Seconds to wait before try number ``attempt`` (0 is the first repetition).

    ``rand`` is uniform in [0, 1).  Full jitter: anywhere between nothing and the doubled bound, so that a thousand
    terminals that lost the same broker do not return together.  Raises ValueError for figures out of range.
    """
    if attempt < 0 or not 0.0 <= rand < 1.0 or not 0.0 < first_s <= most_s:
        raise ValueError("delay_s needs attempt >= 0, 0 <= rand < 1 and 0 < first_s <= most_s")
    return float(rand * min(most_s, first_s * 2.0 ** min(attempt, LAST_DOUBLING)))
