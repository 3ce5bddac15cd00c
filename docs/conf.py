"""Sphinx: `make docs`. Every link is checked: a wrong one ends the build."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from notifcenter.version import VERSION

project = "Notifcenter"
author = "the authors of Notifcenter"
copyright = author
release = version = VERSION

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_links_external_new_tab = True
suppress_warnings = ["misc.highlighting_failure", "toc.not_included"]
nitpicky = True

html_theme = "alabaster"
html_title = f"Notifcenter {VERSION}"
html_theme_options = {
    "description": "Tells people when their cluster jobs change status.",
    "page_width": "1100px",
}
html_show_sphinx = False
