"""The conditions of docs/deploy/ for real: another user, nothing to write to, 500 MB of memory.

A container engine is not needed: root gives a process another user and a read-only view of the file
system, and, where the kernel lets it, a memory limit of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from serving import TESTDATA, cpu_seconds

import driftlock
from driftlock.errors import OptionError
from driftlock.service.child import reserved_port, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.jit,
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="only root becomes another user"
    ),
]
USER = 65_534  # nobody
BECOME = f"setpriv --reuid={USER} --regid={USER} --clear-groups --no-new-privs --bounding-set=-all"
MOST_BYTES = 500_000_000
SERVE = "from driftlock.cli import main; raise SystemExit(main(['serve']))"
WARM_UP = "import driftlock; driftlock.warmup()"
MIXED = (TESTDATA / "mixed.jsonl").read_bytes()
CLIENTS, REQUESTS = 4, 15  # of each client


@dataclass
class Place:
    """A package and compiled kernels that only root may change, and a folder that nobody may."""

    folder: Path
    package: Path
    kernels: Path

    def environment(self, **more: object) -> dict[str, str]:
        """No HOME, no rates; the source of the tests is out of sight."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.package),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DRIFTLOCK_HTTP_RATE_LIMIT": "off",
        } | {name: str(value) for name, value in more.items()}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="driftlock-place-"))  # open to others, as tmp_path is not
    try:
        folder.chmod(0o755)
        made = Place(folder, folder / "package", folder / "kernels")
        shutil.copytree(
            Path(driftlock.__file__).parent,
            made.package / "driftlock",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        made.kernels.mkdir()
        see = "import driftlock; print(driftlock.__file__)"
        seen = subprocess.run(
            confined(None, see),
            capture_output=True,
            text=True,
            check=False,
            env=made.environment(),
            cwd="/",
        )
        if not seen.stdout.startswith(str(made.package)):
            pytest.skip(f"no view of the file system can be made here: {seen.stderr[-200:]}")
        environment = made.environment(NUMBA_CACHE_DIR=made.kernels)
        for _ in range(2):  # two processes share the first, which may leave out a signature
            subprocess.run([sys.executable, "-c", WARM_UP], check=True, env=environment, cwd="/")
        for path in (*made.package.rglob("*"), *made.kernels.rglob("*"), made.kernels):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield made
    finally:
        shutil.rmtree(folder)


def confined(group: Path | None, code: str) -> list[str]:
    """The command that runs Python code as another user, in a control group.

    In its own view of the file system the root is read-only, and where Python stands in a folder
    that is closed to others, that folder holds Python alone, and is open.
    """
    lines = ["set -e", *([f"echo $$ >{group}/cgroup.procs"] if group else [])]
    for number, prefix in enumerate(dict.fromkeys((sys.base_prefix, sys.prefix))):
        closed = next((p for p in reversed(Path(prefix).parents) if not p.stat().st_mode & 1), None)
        if closed is not None:
            lines += [
                f"mkdir -p /run/driftlock-test-{number}",
                f"mount --bind '{prefix}' /run/driftlock-test-{number}",
                f"mount -t tmpfs -o mode=755 none '{closed}'",
                f"mkdir -p '{prefix}'",
                f"mount --bind /run/driftlock-test-{number} '{prefix}'",
            ]
    lines += [
        "mount -o remount,bind,ro /",
        f"exec {BECOME} '{sys.executable}' -c \"$1\"",
    ]
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines), "sh", code]


@contextmanager
def memory_limit() -> Iterator[Path | None]:
    """A control group of 500 MB, of either version; None where the kernel gives none."""
    name = f"driftlock-test-{os.getpid()}"
    group, limit = None, ""
    for parent, limit in (
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        (Path("/sys/fs/cgroup"), "memory.max"),  # version 2
    ):
        try:
            (parent / name).mkdir()
        except OSError:
            continue
        if (parent / name / limit).exists():
            group = parent / name
            break
        (parent / name).rmdir()
    if group is None:
        yield None
        return
    try:
        (group / limit).write_text(str(MOST_BYTES))
        yield group
    finally:
        for _ in range(100):  # the last process leaves a little later than it ends
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.05)


@dataclass
class Running:
    """A service under these conditions."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    group: Path | None
    seconds: float  # from the start of the process until it was ready
    cpu_seconds: float

    def peak(self) -> int:
        """The most bytes that the process has held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])


@contextmanager
def running(place: Place, folder: Path, **more: object) -> Iterator[Running]:
    """Start it as another user in `folder`, which that user owns; ready, and stopped at the end."""
    os.chown(folder, USER, USER)
    log = folder / "log"
    own = {"TMPDIR": folder, "DRIFTLOCK_HTTP_DATA_DIR": folder / "baselines"}
    with reserved_port() as port, memory_limit() as group, log.open("wb") as output:
        environment = place.environment(DRIFTLOCK_HTTP_PORT=port, **(own | more))
        began = time.monotonic()
        process = subprocess.Popen(
            confined(group, SERVE),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
        )
        url = f"http://127.0.0.1:{port}"
        try:
            try:
                wait_until_ready(url, process)
            except OptionError:
                raise AssertionError(log.read_text(encoding="utf-8")) from None
            seconds = time.monotonic() - began
            yield Running(url, process, log, group, seconds, cpu_seconds(process.pid))
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, which stays writable where the root is not."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


def judge_for_a_while(url: str) -> list[int]:
    """Statuses of what several clients get for 1,000 events, again and again."""
    statuses: list[int] = []

    def client() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=120) as connection:
            for _ in range(REQUESTS):
                answer = connection.post("/v1/detect?baseline=400", content=MIXED)
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_read_only_with_compiled_kernels(place: Place, folder: Path) -> None:
    before = sorted(place.folder.rglob("*"))
    with running(place, folder, NUMBA_CACHE_DIR=place.kernels) as service:
        print(f"\nready after {service.seconds:.2f} s, {service.cpu_seconds:.2f} s of processor")
        # What an idle processor needs for it; how long it takes depends on what else is running.
        assert service.cpu_seconds < 3
        log = service.log.read_text(encoding="utf-8")
        assert "compiling" not in log.replace("compiling kernels", "")
        status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="utf-8")
        assert f"Uid:\t{USER}\t{USER}" in status
        assert "NoNewPrivs:\t1" in status

        assert judge_for_a_while(service.url) == [200] * CLIENTS * REQUESTS
        print(f"at most {service.peak() / 1e6:.0f} MB, control group: {service.group}")
        assert service.peak() < MOST_BYTES

        with httpx.Client(base_url=service.url, trust_env=False, timeout=60) as client:
            kept = client.post("/v1/baselines?name=normal", content=MIXED)
            assert kept.status_code == 201
        assert [path.name for path in (folder / "baselines").iterdir()] == ["normal.npz"]

        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(30) == 0
        last = json.loads(service.log.read_text(encoding="utf-8").splitlines()[-1])
        assert last["level"] == "info"
    assert not list(folder.glob("driftlock-kernels-*"))  # the copy has gone
    assert sorted(place.folder.rglob("*")) == before


def test_from_nothing_with_a_cache_in_memory(place: Place, folder: Path) -> None:
    cache = folder / "kernels"
    cache.mkdir()
    os.chown(cache, USER, USER)
    with running(place, folder, NUMBA_CACHE_DIR=cache) as service:
        print(f"\nready after {service.seconds:.2f} s, {service.cpu_seconds:.2f} s of processor")
        assert judge_for_a_while(service.url) == [200] * CLIENTS * REQUESTS
        print(f"at most {service.peak() / 1e6:.0f} MB, control group: {service.group}")
        assert service.peak() < MOST_BYTES
    with running(place, folder, NUMBA_CACHE_DIR=cache) as service:
        print(f"then {service.seconds:.2f} s, {service.cpu_seconds:.2f} s of processor")
        assert service.cpu_seconds < 3


def test_a_folder_for_baselines_that_cannot_be_written(place: Place, folder: Path) -> None:
    sealed = folder / "sealed"
    sealed.mkdir(mode=0o555)
    more = {"DRIFTLOCK_HTTP_DATA_DIR": sealed / "no", "NUMBA_CACHE_DIR": place.kernels}
    with running(place, folder, **more) as service:
        assert "baselines cannot be kept" in service.log.read_text(encoding="utf-8")
        with httpx.Client(base_url=service.url, trust_env=False, timeout=120) as client:
            assert client.post("/v1/detect?baseline=400", content=MIXED).status_code == 200
            kept = client.post("/v1/baselines?name=normal", content=MIXED)
        assert kept.status_code == 507
        assert kept.json()["error"]["code"] == "storage_failed"
