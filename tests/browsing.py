"""A real browser for tests: headless Chromium that reaches this machine and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

PATIENCE = 60  # seconds
REQUIRED = "DRIFTLOCK_REQUIRE_BROWSER"
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # which needs more rights than a container's root has
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,1000",
)


class Page:
    """What a test does with the browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.refused: list[str] = []  # what the console may tell of, besides nothing

    def one(self, css: str) -> WebElement:
        """The first element, waited for."""
        return self.until(lambda: next(iter(self.all(css)), None), css)

    def all(self, css: str) -> list[WebElement]:
        """The elements there are now."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """What a condition gives once it is true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"waited for {what}; the page says {self.one('body').text[-2000:]!r}")

    def paste(self, text: str) -> None:
        """Put text into the events at once, as a paste does; typing takes minutes."""
        self.one("#text").click()
        self.driver.execute_script("arguments[0].select()", self.one("#text"))
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def enter(self, css: str, text: str) -> None:
        """Type into an input that may hold something."""
        self.one(css).clear()
        self.one(css).send_keys(text)

    def choose(self, css: str, value: str) -> None:
        """Choose from a list."""
        Select(self.one(css)).select_by_value(value)

    def drop(self, path: Path) -> None:
        """Drag a file over the page and let it go."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            event = {"type": kind, "x": 300, "y": 300, "data": data}
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", event)

    def run(self) -> None:
        """Press the button, and wait for the end."""
        self.one("#run").click()
        self.ended()

    def ended(self) -> None:
        """Wait until nothing is under way."""
        self.until(lambda: not self.all("body.busy") and not self.all("#result .empty"), "the end")

    def headline(self) -> str:
        """What is said above the result."""
        return self.one("#result h2").text

    def focused(self, css: str) -> bool:
        """Whether the keyboard is there."""
        return bool(
            self.driver.execute_script("return document.activeElement.matches(arguments[0])", css)
        )

    def script(self, source: str, *arguments: Any) -> Any:
        """Ask the page something that only a script can know."""
        return self.driver.execute_script(source, *arguments)

    def worked(self) -> float:
        """Seconds of processor time that its tasks have taken, however busy the machine is."""
        self.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        told = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(float(one["value"]) for one in told if one["name"] == "TaskDuration")

    def complaints(self) -> list[str]:
        """Warnings and errors of the console since the last call, but those that are expected."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        return [line for line in said if not any(part in line for part in self.refused)]

    def asked_for(self) -> list[str]:
        """Addresses that were requested since the last call."""
        events = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        return [
            event["message"]["params"]["request"]["url"]
            for event in events
            if event["message"]["method"] == "Network.requestWillBeSent"
        ]


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser with a profile of its own; skips without one, fails where one is required."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        missing = "the page is tested in a browser: chromium and chromedriver are not installed"
        if os.environ.get("CI") == "true" or os.environ.get(REQUIRED) == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    os.environ["SE_OFFLINE"] = "true"  # selenium fetches no driver
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    try:
        yield Page(driver)
    finally:
        driver.quit()
