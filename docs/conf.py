"""Configuration of the documentation: `sphinx-build -W docs docs/_build`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import driftlock

HERE = Path(__file__).parent

# Sphinx reads nothing from outside its folder, and notebooks have a folder of their own.
for notebook in ("quickstart", "comparing_windows"):
    shutil.copy(HERE.parent / "notebooks" / f"{notebook}.md", HERE / f"{notebook}.md")

project = "driftlock"
author = "The driftlock maintainers"
copyright = author  # noqa: A001  (the name that Sphinx asks for)
release = version = driftlock.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build", "_templates", "jupyter_execute"]
html_theme = "furo"
html_title = f"driftlock {release}"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
pygments_style = "friendly"

myst_enable_extensions = ["amsmath", "dollarmath", "deflist"]
myst_heading_anchors = 3

# Every page is executed afresh. A cell that fails or warns fails the build; what else a cell writes
# to stderr is a note about the machine (kernels being compiled), and left out.
os.environ["PYTHONWARNINGS"] = "error,ignore::PendingDeprecationWarning"  # Jupyter's own
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "remove"
nb_render_markdown_format = "myst"  # tables among them

templates_path = ["_templates"]
autosummary_generate = True
autodoc_typehints = "none"  # types stand in the numpydoc sections
numpydoc_show_class_members = False  # the class template lists them in full
