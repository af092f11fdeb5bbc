"""Permutations of a pool of rows: draws by counter, and every statistic of a window from counts.

N = n + m rows in the pool, the baseline's n first; P = parts (columns of symbols); S = symbols of
all parts together, numbered without gaps. Code lengths are integers in units of 2**-24 bit and
statistics integers in units of 1e-9, so that ties are exact and no order of rows matters.
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit

UNIT = 1 << 24
NANO = 1e9
N_STATISTICS = 4
NCD, ENTROPY, MEAN_BITS, TOP_BITS = range(N_STATISTICS)
ROWS, SHIFT, RANDOM_SHIFT = range(3)

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
def draw_range(first, stop, draw, size):  # type: ignore[no-untyped-def]
    """Members of draws first ... stop - 1, shape (stop - first, m), sorted; draw 0 is the last m.

    draw = (kind, key, n): a random subset, the b-th circular shift, or a random one.
    """
    m = size - draw[2]
    order = np.arange(size).astype(np.int32)
    swaps = np.empty(m, np.int32)
    members = np.empty((stop - first, m), np.int32)
    for b in range(first, stop):
        if draw[0] == ROWS and b > 0:
            shuffle_first(stream(draw[1], b), m, order, swaps)
            members[b - first] = np.sort(order[:m])
            unshuffle(m, order, swaps)
        else:
            shift = b
            if draw[0] == RANDOM_SHIFT and b > 0:
                shift, _ = below(stream(draw[1], b), size)
            for i in range(m):
                members[b - first, i] = (draw[2] + shift + i) % size
            members[b - first].sort()
    return members


@jit
def sum_of_largest(members, bits, k, heap):  # type: ignore[no-untyped-def]
    """Sum of the k largest bits among the members, with a heap of k. O(m log k) at worst."""
    total = 0
    for i in range(members.size):
        value = int(bits[members[i]])
        if i < k:
            place = i
            while place > 0 and heap[(place - 1) // 2] > value:
                heap[place] = heap[(place - 1) // 2]
                place = (place - 1) // 2
            heap[place] = value
            total += value
        elif value > heap[0]:
            total += value - int(heap[0])
            place = 0
            while 2 * place + 1 < k:
                child = 2 * place + 1
                if child + 1 < k and heap[child + 1] < heap[child]:
                    child += 1
                if heap[child] >= value:
                    break
                heap[place] = heap[child]
                place = child
            heap[place] = value
    return total


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
    """What a measurement of m rows starts from: alphabet units of W and R, and sums of the pool."""
    totals, halves = pool[1], pool[2]
    size = pool[0].shape[0]
    grown, used = 0, 0
    for s in range(totals.size):
        grown += tables[totals[s], 0]
        used += tables[totals[s], 1]
    whole = alphabet_units(halves, size) - grown
    return alphabet_units(halves, m), alphabet_units(halves, size - m), whole, grown, used


@jit
def table_sums(members, pool, tables, base, counts):  # type: ignore[no-untyped-def]
    """Table sums over the counts of the members and of all others; empties the counts.

    O(S), or O(m P) where that is far less.
    """
    symbols, totals = pool[0], pool[1]
    grown_w, used_w, grown_r, used_r = 0, 0, 0, 0
    if totals.size <= 4 * members.size * symbols.shape[1]:
        for s in range(totals.size):
            c = counts[s]
            r = totals[s] - c
            grown_w += tables[c, 0]
            used_w += tables[c, 1]
            grown_r += tables[r, 0]
            used_r += tables[r, 1]
            counts[s] = 0
        return grown_w, used_w, grown_r, used_r
    grown_r, used_r = base[3], base[4]
    for i in range(members.size):
        row = members[i]
        for p in range(symbols.shape[1]):
            s = symbols[row, p]
            c = counts[s]
            if c > 0:
                r = totals[s]
                grown_w += tables[c, 0]
                used_w += tables[c, 1]
                grown_r += tables[r - c, 0] - tables[r, 0]
                used_r += tables[r - c, 1] - tables[r, 1]
                counts[s] = 0
    return grown_w, used_w, grown_r, used_r


@jit
def measure(members, pool, tables, base, scratch, out):  # type: ignore[no-untyped-def]
    """The four statistics of the members as window against the other rows. O(m P + S).

    pool = (symbols (N, P), totals (S,), halves (P,), bits (N,)); tables[c] = (log2 gamma(c + 1/2) /
    gamma(1/2), c log2 c) in units; scratch = (S zeros, a heap).
    """
    symbols, bits, counts = pool[0], pool[3], scratch[0]
    m, parts = members.size, symbols.shape[1]
    n = symbols.shape[0] - m
    spent = 0
    for i in range(m):
        row = members[i]
        spent += int(bits[row])
        for p in range(parts):
            counts[symbols[row, p]] += 1
    grown_w, used_w, grown_r, used_r = table_sums(members, pool, tables, base, counts)
    length_w, length_r = base[0] - grown_w, base[1] - grown_r
    longest = max(length_w, length_r)
    # below a thousandth of a bit there is nothing but the rounding of tables
    ncd = (base[2] - min(length_w, length_r)) / longest if longest > UNIT // 1000 else 0.0
    delta = parts * (math.log2(m) - math.log2(n)) - used_w / m / UNIT + used_r / n / UNIT
    k = max(1, m // 10)
    out[NCD] = int(math.floor(ncd * NANO + 0.5))
    out[ENTROPY] = int(math.floor(delta * NANO + 0.5))
    out[MEAN_BITS] = spent * 1_000_000 // m
    out[TOP_BITS] = sum_of_largest(members, bits, k, scratch[1]) * 1_000_000 // k


@jit
def scratch_for(pool, m):  # type: ignore[no-untyped-def]
    """Work space of `measure` for windows of at most m rows."""
    return np.zeros(pool[1].size, np.int32), np.empty(m // 10 + 1, np.int32)


@jit
def permute_range(first, stop, draw, pool, tables, out):  # type: ignore[no-untyped-def]
    """Statistics of draws first ... stop - 1 into the rows of `out`; draw 0 is the window itself.

    draw = (kind, key, n). Each draw depends on (key, b) alone: ranges may be cut anywhere.
    """
    kind, key, n = draw
    size = pool[0].shape[0]
    m = size - n
    order = np.arange(size).astype(np.int32)
    chosen = order[:m]
    swaps, members = np.empty(m, np.int32), np.empty(m, np.int32)
    scratch, base = scratch_for(pool, m), base_units(pool, tables, m)
    for b in range(first, stop):
        if kind == ROWS and b > 0:
            shuffle_first(stream(key, b), m, order, swaps)
            measure(chosen, pool, tables, base, scratch, out[b])
            unshuffle(m, order, swaps)
        else:
            shift = b
            if kind == RANDOM_SHIFT and b > 0:
                shift, _ = below(stream(key, b), size)
            for i in range(m):
                members[i] = (n + shift + i) % size
            measure(members, pool, tables, base, scratch, out[b])


@jit
def measure_subsets(first, stop, subsets, pool, tables, out):  # type: ignore[no-untyped-def]
    """Statistics of given subsets of any sizes: subset b is rows[starts[b] : starts[b + 1]]."""
    rows, starts = subsets
    size = starts[first + 1] - starts[first]
    scratch, base = scratch_for(pool, pool[0].shape[0]), base_units(pool, tables, size)
    for b in range(first, stop):
        members = rows[starts[b] : starts[b + 1]]
        if members.size != size:
            size = members.size
            base = base_units(pool, tables, size)
        measure(members, pool, tables, base, scratch, out[b])
