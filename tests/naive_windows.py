"""Slow twins of the window kernels: plain loops over plain numbers, no kernel imported."""

from __future__ import annotations

import math
from collections import Counter

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mix(word):
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def stream(key, b):
    return mix((key + mix((b * STEP + 1) & MASK)) & MASK)


def below(state, bound):
    """Lemire's rejection: a word is refused where it would favour some numbers."""
    while True:
        state = (state + STEP) & MASK
        product = (mix(state) >> 32) * bound
        if product % 2**32 >= 2**32 % bound:
            return product >> 32, state


def draw(key, b, n, size):
    """Members of one draw of rows, sorted."""
    if b == 0:
        return list(range(n, size))
    order, state = list(range(size)), stream(key, b)
    least = min(n, size - n)  # the smaller side is drawn
    for i in range(least):
        j, state = below(state, size - i)
        order[i], order[i + j] = order[i + j], order[i]
    return sorted(order[:least] if least == size - n else order[least:])


def shift(b, n, size):
    """Members of one circular shift, sorted."""
    return sorted((i + b) % size for i in range(n, size))


def code_length(column, alphabet):
    """Bits of a column of symbols under the Krichevsky-Trofimov code, symbol after symbol."""
    seen, bits = Counter(), 0.0
    for t, symbol in enumerate(column):
        bits -= math.log2((seen[symbol] + 0.5) / (t + alphabet / 2))
        seen[symbol] += 1
    return bits


def entropy(column):
    size = len(column)
    return -sum(c / size * math.log2(c / size) for c in Counter(column).values())


def sums(counts):
    return sum(c * math.log2(c) for c in counts if c)


def gain(column, members):
    """Bits that a column saves if members and others are coded by shares of their own."""
    inside = Counter(column[i] for i in members)
    outside = Counter(column) - inside
    size, m = len(column), len(members)
    saved = sums(inside.values()) + sums(outside.values()) - sums(Counter(column).values())
    return saved + sums([size]) - sums([m]) - sums([size - m])


def expectation(size, t, m, function):
    """Mean of a function of how many of t rows are in a random window of m."""
    ways = {c: math.comb(t, c) * math.comb(size - t, m - c) for c in range(min(t, m) + 1)}
    return math.fsum(w * function(c) for c, w in ways.items()) / math.comb(size, m)


def gain_scale(column, m):
    """Mean gain of a random window of m rows, and its variance given the size of the window."""
    size, totals = len(column), Counter(column).values()
    mean, variance, covariance, variance_c = sums([size]) - sums([m]) - sums([size - m]), 0, 0, 0
    for t in totals:

        def split(c, t=t):
            return sums([c, t - c]) - sums([t])

        of_f = expectation(size, t, m, split)
        of_c = m * t / size
        mean += of_f
        variance += expectation(size, t, m, lambda c: (split(c) - of_f) ** 2)  # noqa: B023
        covariance += expectation(
            size,
            t,
            m,
            lambda c: (split(c) - of_f) * (c - of_c),  # noqa: B023
        )
        variance_c += expectation(size, t, m, lambda c: (c - of_c) ** 2)  # noqa: B023
    if variance_c > 0:
        variance -= covariance**2 / variance_c
    return mean, variance * len(totals) / max(len(totals) - 1, 1)


def max_field(columns, members, m):
    """The largest gain of a column, in standard deviations from its mean over windows of m rows."""
    found = []
    for column in columns:
        if len(set(column)) == 1:  # nothing to be gained in any window
            continue
        mean, variance = gain_scale(column, m)
        if mean <= 0 or variance <= 1e-9 * mean**2:
            found.append(0.0)
            continue
        freedom = 2 * mean**2 / variance
        saved = gain(column, members)
        saved = saved if saved > 0.001 else 0.0
        chi = 2 * freedom * saved / mean
        found.append(math.sqrt(chi) - math.sqrt(max(2 * freedom - 1, 0)))
    return max(found, default=0.0)


def statistics(columns, bits, members, m=None):
    """The five statistics of the members against the other rows, in a pool for windows of m."""
    rows = range(len(bits))
    others = [row for row in rows if row not in set(members)]
    length = {}
    for side, chosen in {"w": members, "r": others, "both": rows}.items():
        length[side] = sum(code_length([c[i] for i in chosen], len(set(c))) for c in columns)
    longest = max(length["w"], length["r"])
    ncd = (length["both"] - min(length["w"], length["r"])) / longest if longest > 0 else 0.0
    delta = sum(entropy([c[i] for i in members]) - entropy([c[i] for i in others]) for c in columns)
    spent = sorted((bits[i] for i in members), reverse=True)
    k = max(1, len(spent) // 10)
    largest = max_field(columns, members, m or len(members))
    return ncd, delta, sum(spent) / len(spent) / 1000, sum(spent[:k]) / k / 1000, largest


def cut(codes, first_rank, bins=10):
    """Classes as they are, ranks by the number of cuts at or below them."""
    ranks = sorted(code for code in codes if code >= first_rank)
    cuts = [ranks[k * len(ranks) // bins] for k in range(bins)] if ranks else []
    return [c if c < first_rank else first_rank + sum(x <= c for x in cuts) for c in codes]


def ascending(values):
    """Places from the smallest value to the largest; equal ones keep their order."""
    return sorted(range(len(values)), key=lambda place: values[place])


def by_falling(values):
    """Where each value stands from the largest to the smallest, and sums of so many largest."""
    order = sorted(range(len(values)), key=lambda i: -values[i])
    sums = [sum(values[i] for i in order[:k]) for k in range(len(values) + 1)]
    return [order.index(i) for i in range(len(values))], sums


def extremes(values, two_sided):
    found = []
    for value in values:
        above = sum(v >= value for v in values)
        below_ = sum(v <= value for v in values)
        found.append(min(len(values), 2 * min(above, below_)) if two_sided else above)
    return found


def verdicts(table, two_sided, in_verdict):
    """Counts of row 0 in each column, and that of its smallest count."""
    columns = [
        extremes(list(c), s) for c, s in zip(zip(*table, strict=True), two_sided, strict=True)
    ]
    kept = [c for c, used in zip(columns, in_verdict, strict=True) if used]
    smallest = [min(counts) for counts in zip(*kept, strict=True)]
    return [c[0] for c in columns] + [sum(s <= smallest[0] for s in smallest)]


def grams(row, order):
    """Each byte of a row in its context, None standing for what is before the row."""
    padded = [None] * order + list(row)
    return [(tuple(padded[i : i + order]), padded[i + order]) for i in range(len(row))]


def text_length(rows, pool, orders):
    """Bits of rows of text, symbol after symbol: the mean over orders, alphabets from the pool."""
    bits = 0.0
    for order in orders:
        alphabets, seen = {}, {}
        for context, symbol in (gram for row in pool for gram in grams(row, order)):
            alphabets.setdefault(context, set()).add(symbol)
        for context, symbol in (gram for row in rows for gram in grams(row, order)):
            counts = seen.setdefault(context, Counter())
            width = len(alphabets[context])
            bits -= math.log2((counts[symbol] + 0.5) / (counts.total() + width / 2))
            counts[symbol] += 1
    return bits / len(orders)


def text_entropy(rows, orders):
    """Bits of a byte given its context, mean over orders."""
    total = 0.0
    for order in orders:
        pairs = [gram for row in rows for gram in grams(row, order)]
        total += entropy(pairs) - entropy([context for context, _ in pairs])
    return total / len(orders)


def text_statistics(rows, members, orders):
    """NCD and entropy delta of the members against the other rows."""
    window = [rows[i] for i in members]
    others = [rows[i] for i in range(len(rows)) if i not in set(members)]
    w, r, both = (text_length(part, rows, orders) for part in (window, others, rows))
    ncd = (both - min(w, r)) / max(w, r) if max(w, r) > 0 else 0.0
    return ncd, text_entropy(window, orders) - text_entropy(others, orders)
