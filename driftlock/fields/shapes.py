"""Texts that are neither numbers nor times: symbols, sentences of the same words, identifiers."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import islice

# numbers with a currency, separators, more than one point, or a unit behind them
FORMATTED = re.compile(
    r"[$\u20ac\u00a3\u00a5]\s?-?\d[\d.,]*|-?\d+(?:[.,]\d+)+\s?(?:%|[^\W\d_]{1,3})?|-?\d+\s?(?:%|[^\W\d_]{1,3})"
)
SPACE = re.compile(r"\s")
WITH_DIGIT = re.compile(r"[^\W_]*\d[^\W_]*")
FEW_SENTENCES, WORDS_PER_SENTENCE, WORD_REUSE = 30, 4, 4
ID_SHARE = 0.95


def shape_of(texts: list[str], n: int, distinct: int) -> tuple[str, str]:
    """Kind and reason of n values, of which some distinct ones stand for all.

    Parameters
    ----------
    texts : list of str
        Those that are looked at.
    n, distinct : int
        How many values there are, and how many different ones.
    """
    seldom = f"{distinct:,} different values in {n:,} rows"
    if distinct == 1:
        seldom = f"the same value in all {n:,} rows"
    sentences = recombined(texts)
    if sentences:
        return "text", f"{seldom}, {sentences}"
    if 2 * distinct <= n:
        return "category", seldom
    shape = structureless(texts)
    if shape:
        return "id", f"{seldom}, {shape}"
    return "text", f"{seldom}, of varied shape"


def recombined(texts: list[str]) -> str:
    """How texts put the same words together again and again, or nothing if they do not.

    A log's messages and a sequence of event numbers repeat as a whole, yet are no symbols.
    """
    if len(texts) < FEW_SENTENCES:
        return ""
    words = [text.split() for text in set(texts)]
    total = sum(map(len, words))
    if len(words) < FEW_SENTENCES or total < WORDS_PER_SENTENCE * len(words):
        return ""
    vocabulary = len({word for sentence in words for word in sentence})
    if vocabulary * WORD_REUSE > total:
        return ""
    return f"of {vocabulary:,} words that come again in other values"


def structureless(texts: list[str]) -> str:
    """Why near-unique texts are mere identifiers, or nothing if they have inner structure.

    Their letters and digits are looked at, not what they mean: one token each, and either the same
    skeleton (every run with a digit in it is one ``#``) or the same length.
    """
    if sum(bool(SPACE.search(text)) for text in texts) > (1 - ID_SHARE) * len(texts):
        return ""
    most_odd = len(texts) - math.ceil(ID_SHARE * len(texts))
    odd = (text for text in texts if not FORMATTED.fullmatch(text))
    if len(list(islice(odd, most_odd + 1))) <= most_odd:
        return ""  # an amount, a share or an address: its digits say how much
    skeletons = Counter(WITH_DIGIT.sub("#", text) for text in texts)
    skeleton, count = skeletons.most_common(1)[0]
    if count >= ID_SHARE * len(texts) and "#" in skeleton:
        return f"all of the shape {skeleton!r} (# stands for letters and digits)"
    lengths = Counter(map(len, texts))
    length, count = lengths.most_common(1)[0]
    if count >= ID_SHARE * len(texts) and length > 3:
        return f"one word each, all {length} characters long"
    return ""
