"""Codecs: sizes, levels, dictionaries, threads, and the one that may not be installed."""

from __future__ import annotations

import sys
import warnings
import zlib
from importlib.util import find_spec

import numpy as np
import pytest

from driftlock import threads
from driftlock.coders import codec as codecs
from driftlock.coders.codec import CODECS, get_codec
from driftlock.errors import DriftlockWarning, OptionError

TEXT = b"user=anna action=login result=ok\n" * 40
INSTALLED = [name for name in CODECS if name != "openzl" or find_spec("openzl")]


@pytest.mark.parametrize("name", INSTALLED)
def test_repeated_text_is_small_and_always_the_same(name):
    codec = get_codec(name)
    first = codec.size(TEXT)
    codec.size(bytes(range(256)) * 20)
    assert codec.size(TEXT) == first < len(TEXT) / 8
    assert codec.fallback_from is None


def test_sizes_are_those_of_the_libraries():
    import lz4.block
    import zstandard

    assert get_codec("zstd", 9).size(TEXT) == len(zstandard.ZstdCompressor(level=9).compress(TEXT))
    assert get_codec("lz4").size(TEXT) == len(lz4.block.compress(TEXT, store_size=False))
    # gzip is zlib's stream in a frame that is 12 bytes longer
    assert get_codec("gzip", 9).size(TEXT) == len(zlib.compress(TEXT, 9)) + 12


@pytest.mark.parametrize("name", INSTALLED)
def test_what_is_given_need_not_be_said(name):
    codec = get_codec(name)
    line = b"user=eva action=logout result=denied"
    known = b"action=logout result=denied user=berta, user=eva"
    assert codec.size_given(line, known) < codec.size(line)


RANGES = {"zstd": (1, 19), "lz4": (0, 12), "gzip": (1, 9), "openzl": (1, 19)}


@pytest.mark.parametrize("name", INSTALLED)
def test_higher_levels_are_smaller(name):
    low, high = RANGES[name]
    data = b"".join(b"%d;%d\n" % (i * i % 977, i % 13) for i in range(2_000))
    assert get_codec(name, high).size(data) < get_codec(name, low).size(data)


def test_the_end_of_what_is_given_counts_most():
    noise = np.random.default_rng(1).bytes(70_000)
    for name in ("gzip", "lz4"):  # neither looks back over all of it
        codec = get_codec(name)
        assert codec.size_given(noise[-500:], noise) < 60
        assert codec.size_given(noise[:500], noise) >= 500


def test_unknown_codecs_and_levels_list_the_known():
    with pytest.raises(OptionError, match="'bz2' is not known; choose one of 'zstd', 'lz4'"):
        get_codec("bz2")
    for level in (0, 23, True, 1.5, "3"):
        with pytest.raises(OptionError, match="choose one from 1 to 22"):
            get_codec("zstd", level)


def test_openzl_gives_way_with_a_warning(monkeypatch):
    monkeypatch.setattr(codecs, "find_spec", lambda _: None)
    with pytest.warns(DriftlockWarning, match="openzl is not installed"):
        codec = get_codec("openzl")
    assert (codec.name, codec.fallback_from, codec.level) == ("zstd", "openzl", 3)
    assert codec.size(TEXT) == get_codec("zstd").size(TEXT)


def test_openzl_where_it_is_installed():
    pytest.importorskip("openzl")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codec = get_codec("openzl")
    assert codec.fallback_from is None
    assert codec.size(TEXT) == codec.size(TEXT) < len(TEXT) / 4
    assert codec.size_given(TEXT, TEXT) < codec.size(TEXT) + 8


def test_windows_of_codecs():
    assert get_codec("gzip").window == 32 * 1024
    assert get_codec("lz4").window == 64 * 1024
    assert get_codec("zstd", 19).window > get_codec("zstd", 1).window > 64 * 1024


@pytest.mark.parametrize(("name", "level"), [("gzip", 6), ("lz4", 0), ("zstd", 1), ("openzl", 1)])
def test_what_is_beyond_the_window_is_not_seen(name, level):
    if name == "openzl":
        pytest.importorskip("openzl")
    codec, noise = get_codec(name, level), np.random.default_rng(0).bytes(1 << 20)
    near, far = noise[: codec.window * 3 // 4], noise[: codec.window * 5 // 4]
    assert codec.size(near * 2) < 1.1 * codec.size(near)
    assert codec.size(far * 2) > 1.9 * codec.size(far)


@pytest.mark.parametrize("name", INSTALLED)
def test_threads_share_no_context(name):
    codec, parts = get_codec(name), [TEXT[: 100 + 7 * i] for i in range(60)]
    alone = [codec.size(part) for part in parts]
    sizes = [0] * len(parts)

    def work(first, stop):
        for i in range(first, stop):
            sizes[i] = codec.size(parts[i])

    threads.set_threads(7)
    threads.in_ranges(work, 0, len(parts))
    threads.set_threads(None)
    assert sizes == alone


def test_codecs_are_imported_when_used():
    import subprocess

    code = (
        "import sys, driftlock.coders.codec; "
        "print([n for n in ('lz4', 'zstandard', 'openzl') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
