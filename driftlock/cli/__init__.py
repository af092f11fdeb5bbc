"""The command line: ``driftlock detect | fit | compare | scan | serve | simulate | warmup``.

`app` has the commands and the exit codes, `run` does what `detect` was asked to do, `fit` makes a
detector to detect with, `windows` is `compare` and `scan`, `options` are what commands share,
`show` lays results out for people.
"""

from driftlock.cli.app import main

__all__ = ["main"]
