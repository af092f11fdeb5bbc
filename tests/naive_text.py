"""Slow, plain twins of the text kernels and of the text coder's formulas.

A row is a list of symbols, its start and its end among them; the counts of grams are a dict from
tuples of symbols. Nothing of the package is imported.
"""

from __future__ import annotations

import math
from itertools import pairwise

FIXED = 2**20
START, END, WORDS_END, WORDS_NEW, FIRST_WORD = 256, 10, 257, 258, 259


# --- the hash table -------------------------------------------------------------------------------

WORD, SEED, PRIME, GOLDEN = 2**64, 0xCBF29CE484222325, 0x100000001B3, 0x9E3779B97F4A7C15


def scrambled(key):
    """Multiply, fold the upper half into the lower one, multiply."""
    mixed = key * GOLDEN % WORD
    return (mixed ^ (mixed >> 32)) * GOLDEN % WORD


def find(slots, keys, key):
    """Linear probing from the place that the hash's upper half is a share of; 0 is a free one."""
    place = (scrambled(key) >> 32) * len(slots) >> 32
    while slots[place]:
        if keys[(slots[place] >> 32) - 1] == key:
            return (slots[place] >> 32) - 1
        place = (place + 1) % len(slots)
    return -1 - place


def rehash(keys, size):
    """Slots of nodes, entered in their order."""
    slots = [0] * size
    for node, key in enumerate(keys):
        slots[-1 - find(slots, keys, key)] = ((node + 1) << 32) + scrambled(key) % 2**32
    return slots


def gram_key(gram, width):
    """Symbols + 1 as digits of some bits; with a width of 0 their hash."""
    if width:
        return sum((symbol + 1) << (width * i) for i, symbol in enumerate(reversed(gram)))
    key = (SEED + len(gram) * GOLDEN) % WORD
    for symbol in gram:
        key = (key ^ (symbol + 1)) * PRIME % WORD
        key ^= key >> 32
    return key


# --- kernels --------------------------------------------------------------------------------------


def locate(row, order):
    """grams[t][k] is the k + 1 symbols up to t, None where the row has not so many."""
    return [
        [tuple(row[t - k : t + 1]) if k <= t else None for k in range(order + 1)]
        for t in range(len(row))
    ]


def add(counts, row, order, sign):
    """Put the grams of a row into the counts, or take them out."""
    for grams in locate(row, order):
        for gram in grams:
            if gram is not None:
                counts[gram] = counts.get(gram, 0) + sign
                if not counts[gram]:
                    del counts[gram]


def walk(row, order, counts):
    """How often the grams that end at each symbol occur, the shortest first."""
    return [[counts.get(gram, 0) for gram in grams] for grams in locate(row, order)]


def learn(rows, order):
    counts = {}
    for row in rows:
        add(counts, row, order, 1)
    return counts


def after(counts):
    """For each context the symbols that follow it and how often; () is the empty one."""
    followers = {}
    for gram, count in counts.items():
        if gram != (START,):
            followers.setdefault(gram[:-1], {})[gram[-1]] = count
    return followers


def witten_bell(symbol, before, order, counts, followers):
    """Probability of a symbol after others, from the shortest context to the longest."""
    p = near = 1 / 256
    for k in range(min(order, len(before)) + 1):
        context = tuple(before[len(before) - k :])
        different = followers.get(context, {})
        if not different:
            break
        seen = counts[context] if k else sum(different.values())
        p = (different.get(symbol, 0) + len(different) * p) / (seen + len(different))
        if k <= 2:
            near = p
    return 0.95 * p + 0.05 * near


def code_row(row, order, counts):
    """Code lengths of the symbols of a row after its start, in units of 2**-20 bits."""
    followers = after(counts)
    shares = [
        witten_bell(row[t], row[max(t - order, 0) : t], order, counts, followers)
        for t in range(1, len(row))
    ]
    return [math.floor(-math.log2(p) * FIXED + 0.5) for p in shares]


def contexts(row):
    """The two symbols before each coded one, or the start alone."""
    return [tuple(row[max(t - 2, 0) : t]) for t in range(1, len(row))]


def code_rows(rows, order, baseline, own):
    """Code lengths of rows; with `own` each is left out of the baseline, which they are."""
    if own:
        others = [baseline[:i] + baseline[i + 1 :] for i in range(len(baseline))]
        return [code_row(row, order, learn(rest, order)) for row, rest in zip(rows, others)]
    counts = learn(baseline, order)
    return [code_row(row, order, counts) for row in rows]


def first_equals(rows):
    """For each row the first that is equal to it."""
    return [rows.index(row) for row in rows]


def pick(rows, places):
    return [rows[i] for i in places]


def frame(rows, ends):
    return [symbol for row in rows for symbol in (ends[0], *row, ends[1])]


def count_rows_with(rows, wanted):
    return sum(any(byte in wanted for byte in row) for row in rows)


def sum_contexts(rows, codes):
    """Sum and number of the code lengths in each context."""
    sums = {}
    for row, fixed in zip(rows, codes):
        for context, bits in zip(contexts(row), fixed):
            total, size = sums.get(context, (0, 0))
            sums[context] = total + bits, size + 1
    return sums


def row_sums(codes):
    return [sum(fixed) for fixed in codes]


def excess(row, fixed, sums, mean):
    """A row's bits beyond the mean of their contexts (with one more of the overall mean)."""
    total = 0.0
    for context, bits in zip(contexts(row), fixed):
        of_context, size = sums.get(context, (0, 0))
        total += bits - (of_context + mean) / (size + 1)
    return total / math.sqrt(len(fixed))


def excesses(rows, codes, baseline, baseline_codes, own):
    """Of baseline rows by the contexts of the others, of new rows by those of all."""
    every = [bits for fixed in baseline_codes for bits in fixed]
    mean = sum(every) / len(every)
    result = []
    for i, (row, fixed) in enumerate(zip(rows, codes)):
        left = [j for j in range(len(baseline)) if not (own and j == i)]
        sums = sum_contexts([baseline[j] for j in left], [baseline_codes[j] for j in left])
        result.append(excess(row, fixed, sums, mean))
    return result


# --- the coder ------------------------------------------------------------------------------------


def byte_rows(texts):
    return [[START, *text, END] for text in texts]


def masked_rows(texts):
    return [[START, *(ord("0") if chr(b) in "0123456789" else b for b in t), END] for t in texts]


def word_rows(texts, separator, baseline):
    """Words by their place among those of the baseline."""

    def split(text):
        return text.split(separator) if text else []

    known = sorted({word for text in baseline for word in split(text)})
    places = {word: FIRST_WORD + i for i, word in enumerate(known)}
    return [[START, *(places.get(w, WORDS_NEW) for w in split(t)), WORDS_END] for t in texts]


def length_bin(row):
    """Quarter octaves of the number of coded symbols."""
    edges = [2 ** (i / 4) for i in range(100)]
    return next(i for i, (low, high) in enumerate(pairwise(edges)) if low <= len(row) - 1 < high)


def standardised(value, row, others, everyone):
    """Less the mean of the others of about its length, over their deviation.

    `others` and `everyone` are (excess, row); the latter are the prior, with five rows' weight.
    """

    def rounded(x):
        return round(x * 2**10) / 2**10

    size = total = squares = 0.0
    for x, other in others:
        apart = abs(length_bin(row) - length_bin(other))
        if apart <= 4:
            weight = math.exp(-(apart**2) / 2)
            size += weight
            total += weight * rounded(x)
            squares += weight * rounded(x) ** 2
    mean = sum(rounded(x) for x, _ in everyone) / len(everyone)
    mean_square = sum(rounded(x) ** 2 for x, _ in everyone) / len(everyone)
    center = (total + 5 * mean) / (size + 5)
    variance = (squares + 5 * mean_square) / (size + 5) - center**2
    deviations = (value - center) / (math.sqrt(max(variance, 0)) + 0.001)
    if abs(deviations) <= 100:
        return deviations
    return math.copysign(100 + 100 * math.log(abs(deviations) / 100), deviations)


def view(rows, baseline, order, *, own):
    """Evidence and bits of rows in one view, each baseline row by all others."""
    baseline_codes = code_rows(baseline, order, baseline, own=True)
    codes = baseline_codes if own else code_rows(rows, order, baseline, own=False)
    of_baseline = [
        v / FIXED for v in excesses(baseline, baseline_codes, baseline, baseline_codes, own=True)
    ]
    values = [v / FIXED for v in excesses(rows, codes, baseline, baseline_codes, own)]
    everyone = list(zip(of_baseline, baseline))
    evidence = []
    for i, (value, row) in enumerate(zip(values, rows)):
        others = [pair for j, pair in enumerate(everyone) if not (own and j == i)]
        evidence.append(standardised(value, row, others, everyone))
    return evidence, [total / FIXED for total in row_sums(codes)]
