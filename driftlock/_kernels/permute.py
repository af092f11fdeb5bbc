"""Permutations of a pool of rows: draws by counter, and every statistic of a window from counts.

N = n + m rows in the pool, the baseline's n first; P = parts (columns of symbols); S = symbols of
all parts together, numbered without gaps. Code lengths are integers in units of 2**-24 bit and
statistics integers in units of 1e-9, so that ties are exact and no order of rows matters.
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.largest import IN_WORD, ONE_BIT, TO_WORD, mean_of_largest

UNIT = 1 << 24
NANO = 1e9
N_STATISTICS = 5
NCD, ENTROPY, MEAN_BITS, TOP_BITS, MAX_FIELD = range(N_STATISTICS)
ROWS, SHIFT, RANDOM_SHIFT = range(3)
BLOCK = 256  # draws in memory at once; no result depends on it

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTOR_1 = np.uint64(0xBF58476D1CE4E5B9)
_FACTOR_2 = np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_WORDS = np.uint64(1 << 32)


@jit
def mix(word):  # type: ignore[no-untyped-def]
    """The finaliser of splitmix64: every bit of the input reaches every bit of the output."""
    word = (word ^ (word >> _S30)) * _FACTOR_1
    word = (word ^ (word >> _S27)) * _FACTOR_2
    return word ^ (word >> _S31)


@jit
def stream(key, b):  # type: ignore[no-untyped-def]
    """State from which draw b of a key begins; draws of different b are unrelated."""
    return mix(np.uint64(key) + mix(np.uint64(b) * _STEP + np.uint64(1)))


@jit
def below(state, bound):  # type: ignore[no-untyped-def]
    """A whole number in [0, bound), bound < 2**32, without bias, and the state after it.

    Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
    """
    limit = np.uint64(bound)
    state = state + _STEP
    product = (mix(state) >> _S32) * limit
    if product & _LOW < limit:
        threshold = (_WORDS - limit) % limit
        while product & _LOW < threshold:
            state = state + _STEP
            product = (mix(state) >> _S32) * limit
    return np.int64(product >> _S32), state


@jit
def shuffle_first(state, m, order, swaps):  # type: ignore[no-untyped-def]
    """Make order[:m] a random m-subset; `swaps` remembers how, for `unshuffle`. O(m)."""
    for i in range(m):
        j, state = below(state, order.size - i)
        swaps[i] = i + j
        order[i], order[i + j] = order[i + j], order[i]


@jit
def unshuffle(m, order, swaps):  # type: ignore[no-untyped-def]
    """Undo `shuffle_first`, so that each draw depends on its number alone. O(m)."""
    for i in range(m - 1, -1, -1):
        j = swaps[i]
        order[i], order[j] = order[j], order[i]


@jit
def draw_range(first, stop, draw, size, listed):  # type: ignore[no-untyped-def]
    """Rows of the smaller side in draws first ... stop - 1, draw after draw, into `listed`.

    draw = (kind, key, n): a random subset, the b-th circular shift, or a random one. Each draw
    depends on (key, b) alone. Draw 0 has the first n rows as its baseline, the last m as its
    window; the window is listed unless the baseline is smaller.
    """
    kind, key, n = draw
    least, begin = size - n, n
    if n < least:
        least, begin = n, 0
    order = np.empty(size, np.uint32)
    for i in range(size):
        order[i] = i
    swaps = np.empty(least, np.uint32)
    for b in range(first, stop):
        own = listed[(b - first) * least : (b - first + 1) * least]
        if kind == ROWS and b > 0:
            shuffle_first(stream(key, b), least, order, swaps)
            for i in range(least):
                own[i] = order[i]
            unshuffle(least, order, swaps)
        else:
            shift = b
            if kind == RANDOM_SHIFT and b > 0:
                shift, _ = below(stream(key, b), size)
            for i in range(least):
                own[i] = (begin + shift + i) % size


@jit
def alphabet_units(halves, size):  # type: ignore[no-untyped-def]
    """The part of the code length of `size` rows that depends on alphabets alone, in units. O(P).

    halves[p] = K_p / 2. The length of counts c of one part is
    log2 gamma(size + K/2) / gamma(K/2) - sum of log2 gamma(c + 1/2) / gamma(1/2).
    """
    total = 0.0
    for p in range(halves.size):
        total += math.lgamma(size + halves[p]) - math.lgamma(halves[p])
    return int(round(total / math.log(2.0) * UNIT))


@jit
def base_units(pool, tables, m):  # type: ignore[no-untyped-def]
    """Where measuring m rows starts: alphabet units of W and R, the pool's length and sum."""
    totals, halves = pool[1], pool[2]
    size = pool[0].shape[0]
    grown = 0
    for s in range(totals.size):
        grown += tables[totals[s], 0]
    whole = alphabet_units(halves, size) - grown
    return alphabet_units(halves, m), alphabet_units(halves, size - m), whole, grown


@jit
def far_sums(members, p, pool, tables, counts):  # type: ignore[no-untyped-def]
    """Table sums of one part over the members and over all others less the pool's. O(m)."""
    symbols, totals = pool[0], pool[1]
    grown_w, used_w, grown_r, used_r = 0, 0, 0, 0
    for i in range(members.size):
        s = symbols[members[i], p]
        c, r = counts[s], totals[s]
        if c > 0:
            grown_w += tables[c, 0]
            used_w += tables[c, 1]
            grown_r += tables[r - c, 0] - tables[r, 0]
            used_r += tables[r - c, 1] - tables[r, 1]
            counts[s] = 0
    return grown_w, used_w, grown_r, used_r


@jit
def distance(base, grown, grown_rest):  # type: ignore[no-untyped-def]
    """NCD of a subset and all other rows, from sums of tables and `base_units`."""
    length, rest = base[0] - grown, base[1] - grown_rest
    longest = max(length, rest)
    # below a thousandth of a bit there is nothing but the rounding of tables
    return (base[2] - min(length, rest)) / longest if longest > UNIT // 1000 else 0.0


@jit
def measure_subsets(rows, starts, is_rest, pool, tables, out):  # type: ignore[no-untyped-def]
    """The five statistics of subsets as windows against all other rows. O(listed P + S) each.

    rows[starts[b] : starts[b + 1]] is subset b, or, if `is_rest`, all other rows; pool = (symbols
    (N, P), totals (S,), halves (P,), bits (N,), first symbol of each part (P + 1,), scales (P, 3),
    place of each row by falling bits, sums of falling bits); tables[c] = (log2 gamma(c + 1/2) /
    gamma(1/2), c log2 c) in units. The loops stand here in full: calls with arrays would cost as
    much as the counting.
    """
    symbols, totals, bits, firsts, scales = pool[0], pool[1], pool[3], pool[4], pool[5]
    parts, n_symbols, size = symbols.shape[1], totals.size, bits.size
    counts, seen = np.zeros(n_symbols, np.uint32), np.zeros(size // 64 + 1, np.uint64)
    one, places, sums = np.uint32(1), pool[6], pool[7]
    listed, base, apart = 0, (0, 0, 0, 0), 0
    for b in range(starts.size - 1):
        first, stop = starts[b], starts[b + 1]
        if stop - first != listed:
            listed = stop - first
            base = base_units(pool, tables, listed)
            apart = tables[size, 1] - tables[listed, 1] - tables[size - listed, 1]
        spent = 0
        for i in range(first, stop):
            row = rows[i]
            spent += int(bits[row])
            place = np.uint64(places[row])
            seen[place >> TO_WORD] |= ONE_BIT << (place & IN_WORD)
            for p in range(parts):
                counts[symbols[row, p]] += one
        grown_w, used_w, grown_r, used_r = np.int64(0), 0, np.int64(0), 0  # typed, not literal
        largest = -np.inf if parts > 0 else 0.0
        is_near = n_symbols <= 4 * listed * parts
        for p in range(parts):
            whole = int(scales[p, 2])
            before = used_w + used_r
            if is_near:
                for s in range(firsts[p], firsts[p + 1]):
                    c = counts[s]
                    r = totals[s] - c
                    grown_w += tables[c, 0]
                    used_w += tables[c, 1]
                    grown_r += tables[r, 0]
                    used_r += tables[r, 1]
                    counts[s] = 0
            else:
                far = far_sums(rows[first:stop], p, pool, tables, counts)
                grown_w, used_w = grown_w + far[0], used_w + far[1]
                grown_r, used_r = grown_r + far[2], used_r + whole + far[3]
            gain = used_w + used_r - before - whole + apart
            # below a thousandth of a bit there is nothing but the rounding of tables
            gain = gain if gain > UNIT // 1000 else 0
            largest = max(largest, math.sqrt(gain * scales[p, 0]) - scales[p, 1])
        if not is_near:
            grown_r += base[3]
        m = listed
        if is_rest:
            m, spent = size - listed, sums[size] - spent
            used_w, used_r = used_r, used_w
        delta = parts * (math.log2(m) - math.log2(size - m))
        delta += used_r / (size - m) / UNIT - used_w / m / UNIT
        out[b, NCD] = int(math.floor(distance(base, grown_w, grown_r) * NANO + 0.5))
        out[b, ENTROPY] = int(math.floor(delta * NANO + 0.5))
        out[b, MEAN_BITS] = spent * 1_000_000 // m
        out[b, TOP_BITS] = mean_of_largest(rows, first, stop, is_rest, places, sums, seen)
        out[b, MAX_FIELD] = int(math.floor(largest * NANO + 0.5))


@jit
def sum_range(first, stop, draw, bits, out):  # type: ignore[no-untyped-def]
    """Mean bits alone of draws first ... stop - 1, as `permute_range` has them. O(min(m, n))."""
    size, m = bits.size, bits.size - draw[2]
    least, whole = min(m, draw[2]), 0
    if least < m:
        for i in range(size):
            whole += int(bits[i])
    listed = np.empty(min(BLOCK, stop - first) * least, np.uint32)
    for begin in range(first, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        draw_range(begin, end, draw, size, listed)
        for b in range(begin, end):
            own, spent = listed[(b - begin) * least : (b - begin + 1) * least], 0
            for i in range(least):
                spent += int(bits[own[i]])
            if least < m:
                spent = whole - spent
            out[b] = spent * 1_000_000 // m


@jit
def room_for(draws, n, size):  # type: ignore[no-untyped-def]
    """Room for the smaller side of draws at once, and how to read it: (listed, starts, is_rest).

    Draw b stands at listed[starts[b] : starts[b + 1]]; is_rest where windows are what it leaves.
    """
    least = min(n, size - n)
    at_once = min(BLOCK, draws)
    listed, starts = np.empty(at_once * least, np.uint32), np.empty(at_once + 1, np.int64)
    for b in range(at_once + 1):
        starts[b] = b * least
    return listed, starts, least < size - n


@jit
def permute_range(first, stop, draw, pool, tables, out):  # type: ignore[no-untyped-def]
    """Statistics of draws first ... stop - 1 into the rows of `out`; draw 0 is the window itself.

    draw = (kind, key, n). Each draw depends on (key, b) alone: ranges may be cut anywhere.
    """
    size = pool[0].shape[0]
    listed, starts, is_rest = room_for(stop - first, draw[2], size)
    for begin in range(first, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        draw_range(begin, end, draw, size, listed)
        own = starts[: end - begin + 1]
        measure_subsets(listed, own, is_rest, pool, tables, out[begin:end])
