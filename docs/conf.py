"""The documentation site, built by `make docs`.

The source folder is the repository: a link from one page to another is the same here and where
the Markdown is read as it is.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE)]

from groupsparse import __version__  # noqa: E402

project, author, release = "groupsparse", "The groupsparse authors", __version__
copyright = author
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "site_extension",
]

root_doc = "docs/index"
include_patterns = [
    "docs/**.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "workflow/README.md",
    "config/README.md", "data/README.md", "benchmarks/published/README.md",
    "reports/published*/README.md",
]  # fmt: skip
# Folders in which Sphinx need not look.
exclude_patterns = [".*", "build", "logs", "results", "src", "tests", "data/raw"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
smartquotes = False

add_module_names = False
autodoc_type_aliases = {name: name for name in ("Array", "ArrayLike", "Prox", "Size")}
autodoc_typehints_format = "short"
autosummary_generate = False
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"groupsparse {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = html_copy_source = html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
templates_path = []
