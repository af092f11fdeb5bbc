"""The version of the library: what the package, the command line and saved files say."""

__version__ = "0.1.0"
