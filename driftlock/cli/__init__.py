"""The command line: ``driftlock detect | simulate | warmup``.

`app` has the commands and the exit codes, `run` does what `detect` was asked to do, `show` lays
its result out for people.
"""

from driftlock.cli.app import main

__all__ = ["main"]
