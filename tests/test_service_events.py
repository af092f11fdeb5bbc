"""Events of a body held to their limits: columns counted beside a plain recursion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftlock.service.events import read_events
from driftlock.service.problems import Problem
from driftlock.service.settings import Settings

leaves = st.one_of(st.none(), st.integers(0, 9), st.just("x"))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
events = st.lists(st.dictionaries(st.sampled_from("pqrs"), values, min_size=1), min_size=1)


def laid_out(name: str, value: Any) -> set[str]:
    """Names below a value, readable and slow."""
    entries = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        entries = [("*", part) for part in value]
    return {name}.union(*(laid_out(f"{name}.{key}", part) for key, part in entries))


@given(events)
def test_every_column_counts_once_whatever_the_order_of_shapes(rows: list[dict[str, Any]]) -> None:
    count = len(set().union(*(laid_out(key, row[key]) for row in rows for key in row)))
    body = "\n".join(map(json.dumps, rows)).encode()
    assert read_events(body, "auto", Settings(max_columns=count)).rows == rows
    if count > 1:
        with pytest.raises(Problem) as refused:
            read_events(body, "auto", Settings(max_columns=count - 1))
        assert refused.value.code == "too_many_columns"


@pytest.mark.parametrize("form", ["ndjson", "lines"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n \n"])
def test_as_many_events_as_the_limit_are_taken_however_the_body_ends(form: str, end: str) -> None:
    body = ('{"a": 1}\n' * 4 + '{"a": 2}' + end).encode()
    assert len(read_events(body, form, Settings(max_events=5))) == 5
    with pytest.raises(Problem) as refused:
        read_events(body, form, Settings(max_events=4))
    assert refused.value.code == "too_many_events"


def test_an_event_is_measured_as_it_is_written() -> None:
    body = ('{"a":"' + "\u00e9" * 50 + '"}').encode()  # 59 characters as JSON, 109 bytes
    assert len(read_events(body, "auto", Settings(max_event_chars=59))) == 1
    with pytest.raises(Problem, match="has 59 characters"):
        read_events(body, "auto", Settings(max_event_chars=58))
