"""What compare, permutation_test and scan refuse, and what they say of it."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest
from windowing import sessions, table

from driftlock.errors import DriftlockWarning, InputError, OptionError
from driftlock.windows import compare, permutation_test, scan


def refused(kind, match, call, *arguments, **options):
    with pytest.raises(kind, match=match):
        call(*arguments, **options)


def test_windows_that_do_not_fit():
    events = table()
    refused(InputError, "window=51 is longer than the 50 rows", scan, events, window=51)
    refused(OptionError, "hop=0 is not possible", scan, events, hop=0)
    refused(
        OptionError,
        "hop='1h' does not go with window=50; expected a number",
        scan,
        events,
        hop="1h",
    )
    refused(OptionError, "hop=3 does not go with window='1h'", scan, events, window="1h", hop=3)
    refused(OptionError, "hop=3 is for windows of rows", scan, events, groups="shop", hop=3)
    refused(OptionError, "window=0 is not possible", scan, events, window=0)
    refused(OptionError, "window=1.5 is not possible", scan, events, window=1.5)
    refused(OptionError, 'no length of time; expected one like "1h"', scan, events, window="soon")
    refused(OptionError, "no length of time above zero", scan, events, window="0h")
    refused(InputError, "longer than the 0 rows", scan, events, trailing=True, guard=60, window=10)
    refused(OptionError, "guard=5 needs trailing=True", scan, events, guard=5)
    refused(
        OptionError, "trailing=True needs a baseline", scan, events, baseline=events, trailing=True
    )


def test_sides_that_are_too_short():
    events = table()
    refused(InputError, "window has no rows", compare, events, events[:0])
    refused(InputError, r"the window has 1 row\(s\)", compare, events, events[:1])
    refused(InputError, r"the baseline has 1 row\(s\); at least 20", compare, events[:1], events)
    refused(InputError, r"the baseline has 1 row\(s\)", permutation_test, events[:1], events)
    refused(InputError, r"the baseline has 19 row\(s\)", scan, events, baseline=19)
    refused(InputError, "lacks the column", compare, events, events.drop(columns="shop"))


def test_unknown_options_list_the_known():
    events = table()
    refused(
        OptionError,
        "'brotli' is not known; choose one of 'fields'",
        compare,
        events,
        events,
        coder="brotli",
    )
    refused(
        OptionError,
        "'block' is not known; choose one of 'auto'",
        compare,
        events,
        events,
        null="block",
    )
    refused(OptionError, "option='speed' is not known", compare, events, events, speed=9)
    refused(OptionError, "option='speed' is not known", scan, events, speed=9)
    refused(OptionError, "option='speed' is not known", permutation_test, events, events, speed=9)
    refused(
        OptionError,
        "'mode' is not known; choose one of 'ncd'",
        permutation_test,
        events,
        events,
        "mode",
    )
    refused(
        OptionError,
        "choose one of 'ncd', 'compression_ratio'",
        permutation_test,
        events,
        events,
        "entropy",
        coder="zstd",
    )


def test_impossible_values_are_named():
    events = table()
    refused(OptionError, "alternative='up'", permutation_test, events, events, alternative="up")
    refused(OptionError, "n_permutations=0", compare, events, events, n_permutations=0)
    refused(OptionError, "alpha=2 is no level", compare, events, events, alpha=2)
    refused(OptionError, "control='none' is not known", scan, events, control="none")
    refused(OptionError, "rng='x' is no seed", compare, events, events, rng="x")


def test_groups_that_do_not_work():
    events = sessions(45, 10, 1)
    refused(
        OptionError,
        'null="groups" needs groups=',
        compare,
        events[:400],
        events[400:],
        null="groups",
    )
    refused(
        InputError,
        "groups='whom' is no column; there are 'who'",
        compare,
        events[:400],
        events[400:],
        groups="whom",
    )
    refused(InputError, "groups='whom' is no column", scan, events, groups="whom")
    refused(
        InputError,
        "stand in the baseline and in the window",
        compare,
        events[:405],
        events[405:],
        groups="who",
    )


def test_a_group_of_one_is_listed_not_tested():
    events = sessions(45, 10, 1)
    events.loc[449, "who"] = "alone"
    with pytest.warns(DriftlockWarning, match="too few to show"):
        found = scan(events, groups="who", rng=1)
    assert found.left_out.to_dict() == {"rows": {"alone": 1}}
    assert "alone" not in found.table.index
    refused(InputError, "no window has two rows", scan, events.assign(who=range(450)), groups="who")


def test_times_that_do_not_work():
    events = table(700)
    refused(InputError, "events have no time column", scan, events, window="1h")
    refused(InputError, "time='when' is no column", scan, events, window="1h", time="when")
    times = pd.Series(pd.date_range("2025-01-01", periods=700, freq="10min"))
    back = times.copy()
    back[500] = times[450]
    refused(InputError, "is not sorted: row 500", scan, events.assign(when=back), window="1h")
    missing = times.copy()
    missing[600] = pd.NaT
    refused(
        InputError, "no readable time in row 600", scan, events.assign(when=missing), window="1h"
    )
    mixed = times.dt.strftime("%Y-%m-%dT%H:%M:%S")
    mixed = mixed.where(mixed.index < 650, mixed + "Z")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        refused(
            InputError,
            "with a zone and times without",
            scan,
            events.assign(when=mixed),
            window="1h",
        )
    timed = events.assign(when=times)
    refused(InputError, "window=4 days .* than the 2 days 01:50:00", scan, timed, window="4D")
    options = {"window": "1h", "trailing": True, "guard": 300}
    refused(InputError, "guard=300 leaves none of the 300 rows", scan, timed, **options)
    refused(
        OptionError, "makes .* windows", scan, events.assign(when=times), window="1h", hop="1us"
    )
