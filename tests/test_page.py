"""The page at "/" and the one at "/docs" in a real browser, by real clicks and keys."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from browsing import Page, browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from serving import TESTDATA, Served, served

from driftlock.datasets import load

pytestmark = pytest.mark.jit  # the page is the same without; its answers would only be slower

MIXED = (TESTDATA / "mixed.jsonl").read_text(encoding="utf-8")
NORMAL = (TESTDATA / "normal.jsonl").read_text(encoding="utf-8")
EXAMPLE = Path(__file__).parents[1] / "driftlock" / "service" / "page" / "example.jsonl"
IMAGE = '<img src=x onerror="window.ran = 1">'
SCRIPT = "</script><script>window.ran = 1</script>"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(opened: Page, service: Served) -> Iterator[Page]:
    """The page anew, at the width of a desk; at the end the console has said nothing."""
    opened.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    opened.driver.get(f"{service.url}/")
    opened.one("#result .empty")
    opened.refused = []
    opened.complaints()
    opened.asked_for()
    yield opened
    assert opened.complaints() == []
    assert all(url.startswith((service.url, "data:", "blob:")) for url in opened.asked_for())


def test_pasted_events_are_judged_and_explained(page: Page, service: Served) -> None:
    with service.client() as client:
        told = client.post("/v1/detect", content=MIXED, params={"baseline": 400}).json()
    page.paste(MIXED)
    assert page.one("#count").text == "1,000 lines"
    page.run()
    assert page.headline() == "45 of 600 rows flagged"
    assert page.one("#status").text == "45 of 600 rows flagged"
    summary = page.one(".summary").text
    for part in ("1,000", "400 rows", "fields", "5 %", "600 rows against a baseline of 400"):
        assert part in summary
    rows = page.all(".flag")
    assert [int(row.find_element("css selector", ".toggle").text) for row in rows] == [
        anomaly["index"] for anomaly in told["anomalies"]
    ]
    for row, anomaly in zip(rows, told["anomalies"], strict=True):
        assert anomaly["why"] == row.find_element("css selector", ".why").get_property(
            "textContent"
        )
        cells = row.find_elements("css selector", ".number")
        shown = [cell.get_attribute("title") for cell in cells]
        names = ("p_value", "q_value", "score", "bits")
        assert [float(text) for text in shown] == [anomaly["metrics"][name] for name in names]
        assert float(cells[0].text) == pytest.approx(anomaly["metrics"]["p_value"], rel=0.05)


def test_a_row_opens_to_its_event_and_fields(page: Page, service: Served) -> None:
    with service.client() as client:
        told = client.post("/v1/detect", content=MIXED, params={"baseline": 400}).json()
    page.paste(MIXED)
    page.run()
    first = told["anomalies"][0]
    page.all(".flag .why")[0].click()
    assert page.all(".toggle")[0].get_attribute("aria-expanded") == "true"
    shown = page.one(".event").get_property("textContent")
    assert json.loads(shown) == first["event"]
    assert shown.splitlines()[1].startswith('  "')
    rows = [row.text.split("\n") for row in page.all(".scroll tbody tr")]
    assert [row[0].split()[0] for row in rows] == [field["field"] for field in first["fields"]]
    strongest = page.one(".scroll tbody tr").text
    for name in ("field", "value", "usual"):
        assert first["fields"][0][name] in strongest
    for name in ("bits", "expected_bits", "evidence"):
        assert f"{first['fields'][0][name]:.1f}" in strongest
    widths = [
        page.script("return parseFloat(getComputedStyle(arguments[0], '::before').width)", bar)
        for bar in page.all(".scroll .bar.hot")
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 5 * widths[-2]
    page.all(".flag .why")[0].click()
    assert page.all(".more") == []


def test_what_is_marked_is_what_the_reason_names(page: Page) -> None:
    page.paste(MIXED)
    page.run()
    page.script("document.querySelectorAll('.toggle').forEach((one) => one.click())")
    whys = [why.get_property("textContent") for why in page.all(".flag .why")]
    details = page.all(".more")
    assert len(whys) == len(details) == 45
    for why, detail in zip(whys, details, strict=True):
        named = set(re.findall(r"(?:^|\); |baseline; )([\w.]+): ", why))
        marked = {mark.text.split('"')[1] for mark in detail.find_elements("css selector", "mark")}
        assert marked == {name.rsplit(".", 1)[-1] for name in named}
        assert named == {
            row.text for row in detail.find_elements("css selector", ".told th[scope=row]")
        }


def test_a_file_may_be_chosen_or_dropped_also_packed(page: Page, tmp_path: Path) -> None:
    plain, packed, framed = (tmp_path / f"events.jsonl{end}" for end in ("", ".gz", ".zst"))
    plain.write_text(MIXED, encoding="utf-8")
    packed.write_bytes(gzip.compress(MIXED.encode()))
    framed.write_bytes(zstandard.compress(MIXED.encode()))
    page.one("#file").send_keys(str(packed))
    assert "events.jsonl.gz" in page.until(lambda: page.one("#held").text, "the file")
    assert "gzip" in page.one("#held").text
    page.run()
    assert page.headline() == "45 of 600 rows flagged"
    page.one("#let-go").click()
    assert page.one("#text").is_displayed()
    page.drop(framed)
    page.until(lambda: "zstd" in page.one("#held").text, "the file")
    page.enter("#baseline", "402")
    page.run()
    assert "of 598 rows flagged" in page.headline()
    page.drop(plain)
    page.until(lambda: page.one("#count").text == "1,000 lines", "the lines of the file")
    assert not page.one("#held").is_displayed()
    assert page.script("return arguments[0].value", page.one("#text")) == MIXED


def test_the_example_is_a_part_of_the_test_data_and_is_explained(page: Page) -> None:
    lines = load("mixed").to_jsonl().splitlines(keepends=True)
    assert EXAMPLE.read_bytes() == "".join(lines[200:500]).encode()
    page.enter("#alpha", "0.2")
    page.one("#example").click()
    page.ended()
    assert page.headline() == "7 of 100 rows flagged"
    assert page.one("#alpha").get_property("value") == "0.05"
    assert "merchant: Hazel Fuel" in page.one(".why").text


def test_windows_and_warnings(page: Page) -> None:
    page.paste(MIXED)
    assert not page.one("#hop").is_enabled()
    page.enter("#window", "100")
    page.enter("#hop", "50")
    page.run()
    assert re.fullmatch(r"\d+ of 11 windows flagged", page.headline())
    head = [cell.text for cell in page.all(".flags > table > thead th")]
    assert head == ["Rows", "p", "q", "NCD", "Entropy", "Mean bits", "Top bits", "Why"]
    assert re.fullmatch(r"\d+\u2013\d+", page.one(".toggle").text)
    assert page.all(".notice") == []
    page.one(".toggle").click()
    assert page.all(".event") == []
    assert len(page.all(".scroll tbody tr")) > 5
    page.enter("#window", "15")
    page.enter("#hop", "15")
    page.run()
    assert "40 windows" in page.headline()
    assert "the smallest window has 15 rows" in page.one(".notice").text


def test_nothing_found_is_said_with_the_plan(page: Page) -> None:
    page.paste(NORMAL)
    page.run()
    assert page.headline() == "Nothing flagged among 100 rows"
    assert page.all(".flags") == []
    assert "at least 5 rows must be beyond the whole baseline" in page.one(".plan p").text


def test_a_broken_line_is_named_and_selected(page: Page) -> None:
    page.refused = ["status of 400"]
    lines = MIXED.splitlines()
    lines[427] = '{"amount": 12.5, "place": }'
    page.paste("\n".join(lines))
    page.run()
    failure = page.one("[role=alert]").text
    assert "invalid_json" in failure
    assert "line 428" in failure
    assert "Expecting value" in failure
    assert page.focused("#text")
    assert (
        page.script(
            "const { value, selectionStart, selectionEnd } = arguments[0];"
            "return value.slice(selectionStart, selectionEnd)",
            page.one("#text"),
        )
        == lines[427]
    )
    top, height, line = page.script(
        "const one = arguments[0]; const line = parseFloat(getComputedStyle(one).lineHeight);"
        "return [one.scrollTop, one.clientHeight, line]",
        page.one("#text"),
    )
    assert top < 427 * line < top + height
    lines[427] = '{"amount": ' + "[" * 40 + "]" * 40 + "}"
    page.paste("\n".join(["", *lines]))  # an empty line is no event
    page.run()
    assert "too_deep" in page.one("[role=alert]").text
    assert page.script("return getSelection().toString()") == lines[427]


def test_what_is_not_possible_is_told_beside_its_input(page: Page) -> None:
    page.refused = ["status of 400"]
    page.run()
    assert "no_events" in page.one("[role=alert]").text
    page.paste(MIXED)
    page.enter("#alpha", "2")
    page.run()
    assert "invalid_parameter" in page.one("[role=alert]").text
    assert page.focused("#alpha")
    assert page.one("#alpha").get_attribute("aria-invalid") == "true"
    page.enter("#alpha", "0.05")
    page.run()
    assert page.one("#alpha").get_attribute("aria-invalid") is None
    assert page.headline() == "45 of 600 rows flagged"


def test_all_goes_by_keyboard(page: Page) -> None:
    page.paste(MIXED)
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(
        Keys.CONTROL
    ).perform()
    page.ended()
    assert page.focused("#result h2")
    for _ in range(3):  # the answer's download, the plan, the first flag
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
    assert page.focused(".flag:first-child .toggle")
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    assert page.focused('.flag:first-child .toggle[aria-expanded="true"]')
    ActionChains(page.driver).send_keys(Keys.ARROW_DOWN).perform()
    assert page.focused(".more + .flag .toggle")
    for field in page.all("input, select, textarea"):
        assert page.script("return arguments[0].labels.length", field) == 1


def test_a_request_can_be_cancelled(page: Page) -> None:
    for cancel in (lambda: page.one("#cancel").click(), lambda: escape(page)):
        page.driver.refresh()
        page.paste(MIXED)
        page.choose("#algo", "zstd")
        page.enter("#window", "50")
        page.enter("#hop", "1")  # minutes of work
        page.one("#run").click()
        assert page.one("#status").text.startswith("Judging 1,000 lines")
        assert not page.one("#run").is_enabled()
        cancel()
        page.until(lambda: page.one("#status").text == "Cancelled.", "the end")
        assert page.one("#run").is_enabled()
        assert not page.one("#cancel").is_displayed()
        assert page.one("#result .empty")


def escape(page: Page) -> None:
    ActionChains(page.driver).send_keys(Keys.ESCAPE).perform()


def test_markup_in_events_stays_text_and_numbers_stay_as_sent(page: Page) -> None:
    normal = [{"name": f"n{i % 7}", "place": "here", "account": 7} for i in range(300)]
    strange = {
        "name": IMAGE,
        "place": SCRIPT,
        IMAGE: {SCRIPT: [IMAGE]},
        "account": 12345678901234567890,
    }
    rows = [json.dumps(row | {IMAGE: {SCRIPT: ["a"]}}) for row in normal]
    page.paste("\n".join([*rows, json.dumps(strange)]))
    page.enter("#baseline", "300")
    page.run()
    assert page.headline() == "1 of 1 row flagged"
    page.one(".toggle").click()
    assert IMAGE in page.one(".why").text
    event = page.one(".event").get_property("textContent")
    assert json.loads(event) == strange
    assert "12345678901234567890" in event
    assert any(IMAGE in row.text for row in page.all(".scroll tbody tr"))
    for tag in ("img", "script", "iframe", "style"):
        assert page.all(f"#result {tag}") == []
    assert page.script("return window.ran === undefined")
    page.refused = ["status of 400"]
    page.paste(f"{IMAGE}\n{SCRIPT}")
    page.choose("#format", "ndjson")
    page.run()
    assert IMAGE in page.one("[role=alert]").text
    assert page.all("#result img") == []
    assert page.script("return window.ran === undefined")


def test_lines_of_a_log_are_told_from_json(page: Page) -> None:
    log = [f"[10:{i % 60:02}] GET /item/{i % 9} 200 in {i % 13} ms" for i in range(300)]
    page.paste("\n".join([*log, "[11:00] kernel panic: not syncing, attempted to kill init!"]))
    page.enter("#baseline", "300")
    page.run()
    assert page.headline() == "1 of 1 row flagged"
    assert "Log lines" in page.one(".facts").text
    page.one(".toggle").click()
    assert "kernel panic" in page.one(".event mark").text


def test_a_thousand_flags_do_not_freeze_it(page: Page) -> None:
    page.paste(NORMAL + MIXED)
    page.enter("#baseline", "100")
    page.choose("#control", "fpr")
    page.enter("#alpha", "0.999")
    before = page.worked()
    page.run()
    assert len(page.all(".flag")) == 1000
    assert "Not listed" in page.one(".facts").text
    page.all(".toggle")[999].click()
    assert page.one(".more .event").is_displayed()
    assert page.worked() - before < 1.5  # of all tasks, the longest among them


def test_a_kept_baseline_can_be_chosen(page: Page, service: Served) -> None:
    with service.client() as client:
        client.post("/v1/baselines", params={"name": "shop"}, content=NORMAL).raise_for_status()
    try:
        page.driver.refresh()
        page.one('#kept option[value="shop"]')
        page.choose("#kept", "shop")
        assert not page.one("#baseline").is_enabled()
        assert not page.one("#window").is_enabled()
        page.paste(MIXED)
        page.run()
        assert re.fullmatch(r"\d\d of 1,000 rows flagged", page.headline())
        assert "500 rows" in page.one(".facts").text
    finally:
        with service.client() as client:
            client.delete("/v1/baselines/shop")


def whole(path: Path) -> Any:
    """What a file of JSON holds; None while it is not there, or not all of it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def test_the_answer_can_be_saved(page: Page, tmp_path: Path) -> None:
    page.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    page.one("#example").click()
    page.ended()
    page.one("#download").click()
    saved = tmp_path / "driftlock.json"
    told = page.until(lambda: whole(saved), "the whole file")
    assert told["anomaly_count"] == len(told["anomalies"]) == 7
    assert str(told["anomalies"][0]["index"]) == page.one(".toggle").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_follows_the_scheme(page: Page, scheme: str) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.one("#example").click()
    page.ended()
    page.one(".toggle").click()
    assert page.script("return document.documentElement.scrollWidth") <= 360
    assert page.script("return arguments[0].scrollWidth", page.one(".scroll")) <= 360
    back = page.script("return getComputedStyle(document.body).backgroundColor")
    shade = sum(map(int, re.findall(r"\d+", back))) / 3
    assert shade > 200 if scheme == "light" else shade < 60


def test_a_key_is_asked_for_and_kept_in_memory_only(opened: Page, tmp_path: Path) -> None:
    hashed = hashlib.sha256(b"open sesame").hexdigest()
    with served(tmp_path, api_keys_sha256=hashed) as server:
        opened.driver.get(f"{server.url}/")
        opened.until(lambda: "API key" in opened.one("#status").text, "being asked")
        opened.paste(MIXED)
        opened.run()
        assert "unauthorized" in opened.one("[role=alert]").text
        assert opened.focused("#key")
        opened.one("#key").send_keys("open sesame")
        opened.run()
        assert opened.headline() == "45 of 600 rows flagged"
        assert opened.script("return localStorage.length + sessionStorage.length") == 0
        assert opened.script("return document.cookie") == ""


def test_a_service_that_has_gone_is_told(opened: Page, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        opened.driver.get(f"{server.url}/")
        opened.paste(MIXED)
        server.stop()
        opened.run()
        assert "unreachable" in opened.one("[role=alert]").text


def test_the_policy_allows_no_inline_code(service: Served) -> None:
    with service.client() as client:
        for path, styles in (("/", "style-src 'self';"), ("/docs", "'self' 'unsafe-inline';")):
            policy = client.get(path).headers["content-security-policy"]
            assert "default-src 'none'; script-src 'self';" in policy
            assert styles in policy
            assert not re.search(r"<script>|\son\w+=|\sstyle=", client.get(path).text)


def test_the_docs_stand_alone(page: Page, service: Served) -> None:
    page.driver.get(f"{service.url}/docs")
    page.until(lambda: len(page.all(".opblock")) >= 8, "the operations")
    page.one(".opblock-post .opblock-summary-control").click()
    assert "baseline_name" in page.one(".opblock-body .parameters").text
    page.until(lambda: page.all(".opblock-body .response"), "the answers")
    asked = page.asked_for()
    assert f"{service.url}/openapi.json" in asked
    assert all(url.startswith((service.url, "data:")) for url in asked)
