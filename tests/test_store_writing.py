"""Writing a detector: whatever happens meanwhile, the file is the old or the new one, and whole."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from saving import refused

import driftlock as dl


@pytest.mark.parametrize("step", ["fsync", "replace", "write"])
@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    fitted, saved, tmp_path, monkeypatch, step, there
):
    path = tmp_path / "d.npz"
    if there:
        path.write_bytes(saved)

    def fail(*args, **options):
        raise OSError(28, "No space left on device")

    target = {
        "fsync": "driftlock.files.writing.os.fsync",
        "replace": "pathlib.Path.replace",
        "write": "pathlib.Path.open",
    }
    with monkeypatch.context() as patch:
        patch.setattr(target[step], fail)
        with pytest.raises(dl.FileError, match=r"d\.npz: cannot be written: No space left"):
            fitted["loo"].save(path)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [saved] * there


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_device_is_an_error(fitted):
    with pytest.raises(dl.FileError, match="/dev/full: cannot be written: No space left"):
        fitted["default"].save("/dev/full")


def test_a_folder_that_is_not_there_is_an_error(fitted, tmp_path):
    with pytest.raises(dl.FileError, match="cannot be written: No such file"):
        fitted["default"].save(tmp_path / "gone" / "d.npz")
    with pytest.raises(dl.FileError, match="cannot be written"):
        fitted["default"].save(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_what_was_private_stays_private_and_links_are_followed(fitted, tmp_path):
    path, link = tmp_path / "d.npz", tmp_path / "link"
    path.touch(mode=0o600)
    link.symlink_to(path)
    fitted["default"].save(link)
    assert path.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink()
    dl.Detector.load(path)


KILLED = """
import sys
import driftlock as dl
one = dl.Detector.load(sys.argv[1])
print("ready", flush=True)
while True:
    one.save(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_process_killed_while_saving_leaves_a_whole_file(fitted, saved, tmp_path):
    source, path = tmp_path / "source.npz", tmp_path / "folder" / "d.npz"
    path.parent.mkdir()
    source.write_bytes(saved)
    fitted["loo"].save(path)
    old = path.read_bytes()
    for wait in (0.0, 0.013, 0.031):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(source), str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert path.read_bytes() in (old, saved)
        for left in path.parent.iterdir():
            if left != path and left.read_bytes() != saved:  # a part, cut off where it was killed
                refused(left)
