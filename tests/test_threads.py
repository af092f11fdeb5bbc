"""The number of threads: how it is set, and what happens to an error in one."""

from __future__ import annotations

import pytest

from driftlock import threads
from driftlock.errors import OptionError

pytestmark = pytest.mark.usefixtures("_usual_threads")


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_number_of_threads_is_checked(monkeypatch, text):
    monkeypatch.setenv(threads.VARIABLE, text)
    with pytest.raises(OptionError, match="DRIFTLOCK_THREADS"):
        threads.thread_count()


def test_threads_by_environment(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "5")
    assert threads.thread_count() == 5
    threads.set_threads(2)
    assert threads.thread_count() == 2
    for wrong in (0, True, 1.5, "2"):
        with pytest.raises(OptionError, match="number of threads"):
            threads.set_threads(wrong)


def test_an_error_in_a_thread_is_raised():
    def work(first, _):
        raise KeyError(first)

    threads.set_threads(3)
    with pytest.raises(KeyError):
        threads.in_ranges(work, 0, 100)
    threads.in_ranges(work, 5, 5)  # nothing to do
