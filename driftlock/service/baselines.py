"""Kept baselines: fitted detectors in a folder, a file each, whole or not at all.

The folder is the only truth: processes share it, and each looks at a file's stamp before it uses
what it has in memory.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path

from driftlock import Detector
from driftlock.errors import FileError
from driftlock.service.answers import Baseline
from driftlock.service.findings import is_of_text
from driftlock.service.problems import Problem
from driftlock.service.settings import Settings

ENDING, PART = ".npz", ".part"
ABANDONED = 3600  # seconds after which nobody is writing a part any more
IN_MEMORY = 8

Stamp = tuple[int, int, int]


class Baselines:
    """The folder of kept baselines.

    Parameters
    ----------
    settings : Settings
        Where it is, and how many it may hold.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.data_dir
        self._most = settings.max_baselines
        self._lock = threading.Lock()
        self._descriptions: dict[str, tuple[Stamp, Baseline]] = {}
        self._loaded: OrderedDict[str, tuple[Stamp, Detector]] = OrderedDict()

    def is_writable(self) -> bool:
        """Whether one could be kept now; makes the folder if it is not there, and tidies it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".probe"
            probe.touch()
            probe.unlink(missing_ok=True)
            for part in self._folder.glob(f".*{PART}"):  # of a process that was killed
                with contextlib.suppress(FileNotFoundError):  # of one that has just written it
                    if time.time() - part.stat().st_mtime > ABANDONED:
                        part.unlink()
        except OSError:
            return False
        return True

    def keep(self, name: str, detector: Detector, *, replace: bool) -> Baseline:
        """Write a detector under a name.

        Raises
        ------
        Problem
            If the name is taken, there are too many, or the disk does not take it.
        """
        with self._lock:
            self.check_free(name, replace=replace)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                stamp = self._save(name, detector) if replace else self._save_new(name, detector)
            except FileExistsError:  # another process was faster
                raise _taken(name) from None
            except (OSError, FileError):
                raise Problem(
                    507,
                    "storage_failed",
                    "the baseline could not be written; what stood there before is unchanged",
                ) from None
            self._loaded.pop(name, None)
        return _described(name, detector, stamp)

    def check_free(self, name: str, *, replace: bool) -> None:
        """Raise a `Problem` if a baseline of that name cannot be kept."""
        if self._path(name).exists():
            if not replace:
                raise _taken(name)
        elif len(self._names()) >= self._most:
            raise Problem(
                409,
                "too_many_baselines",
                f"{self._most} baselines are kept, and no more can be; delete one",
            )

    def get(self, name: str) -> Detector:
        """The detector of a name, from memory if its file is the same.

        Raises
        ------
        Problem
            If there is none, or its file is damaged.
        """
        stamp = self._stamp(name)
        with self._lock:
            known = self._loaded.get(name)
            if known is not None and known[0] == stamp:
                self._loaded.move_to_end(name)
                return known[1]
        stamp, detector = self._read(name)
        with self._lock:
            self._loaded[name] = (stamp, detector)
            while len(self._loaded) > IN_MEMORY:
                self._loaded.popitem(last=False)
        return detector

    def listed(self) -> list[Baseline]:
        """All that are kept and can be read, by name."""
        found = {}
        for name in self._names():
            try:
                stamp = self._stamp(name)
                known = self._descriptions.get(name)
                if known is None or known[0] != stamp:
                    stamp, detector = self._read(name)
                    known = stamp, _described(name, detector, stamp)
            except Problem:  # deleted meanwhile, or damaged: the answer to using it says which
                continue
            found[name] = known
        self._descriptions = found
        return [description for _, description in found.values()]

    def delete(self, name: str) -> None:
        """Remove one.

        Raises
        ------
        Problem
            If there is none.
        """
        with self._lock:
            try:
                self._path(name).unlink()
            except FileNotFoundError:
                raise _unknown(name) from None
            except OSError:
                raise Problem(507, "storage_failed", "the baseline could not be deleted") from None
            self._loaded.pop(name, None)

    def _save(self, name: str, detector: Detector) -> Stamp:
        """Write one in place of another; if another process deletes it at once, once more."""
        while True:
            detector.save(self._path(name))
            with contextlib.suppress(FileNotFoundError):
                return _stamp(self._path(name))

    def _save_new(self, name: str, detector: Detector) -> Stamp:
        """Write one under a name that nobody has, whoever else tries at the same time."""
        part = self._folder / f".{name}.{secrets.token_hex(4)}{PART}"
        try:
            detector.save(part)
            stamp = _stamp(part)
            try:
                os.link(part, self._path(name))
            except FileExistsError:
                raise
            except OSError:  # a file system without links: between here and there is a short time
                if self._path(name).exists():
                    raise FileExistsError from None
                part.replace(self._path(name))
        finally:
            part.unlink(missing_ok=True)
        return stamp

    def _read(self, name: str) -> tuple[Stamp, Detector]:
        """The detector of a name, and the stamp that its file had; read anew where it changes."""
        while True:
            stamp = self._stamp(name)
            try:
                return stamp, Detector.load(self._path(name))
            except FileError:
                if self._stamp(name) == stamp:
                    raise _damaged(name) from None

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(
            path.stem for path in self._folder.glob(f"*{ENDING}") if not path.name.startswith(".")
        )

    def _path(self, name: str) -> Path:
        """Where it stands; a name has no dot and no separator, so it stays in the folder."""
        return self._folder / f"{name}{ENDING}"

    def _stamp(self, name: str) -> Stamp:
        try:
            return _stamp(self._path(name))
        except OSError:
            raise _unknown(name) from None


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _described(name: str, detector: Detector, stamp: Stamp) -> Baseline:
    modified, size, _ = stamp
    columns = detector.feature_names_in_.tolist()
    return Baseline(
        name=name,
        rows=detector.plan(1).n_baseline,
        columns=columns,
        algo="text" if is_of_text(columns) else "fields",
        bytes=size,
        created=datetime.fromtimestamp(modified / 1e9, UTC).isoformat(timespec="seconds"),
    )


def _taken(name: str) -> Problem:
    return Problem(
        409,
        "baseline_exists",
        f"a baseline named {name!r} is kept; delete it or pass replace=true",
        where={"parameter": "name"},
    )


def _damaged(name: str) -> Problem:
    return Problem(
        500,
        "baseline_damaged",
        f"the baseline {name!r} cannot be read any more; delete it and keep it anew",
        where={"parameter": "baseline_name"},
    )


def _unknown(name: str) -> Problem:
    return Problem(
        404,
        "unknown_baseline",
        f"no baseline named {name!r} is kept",
        where={"parameter": "baseline_name"},
    )
