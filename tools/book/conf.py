"""Sphinx's settings for the book: outputs as they are committed, and nothing that is fetched from elsewhere."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

project = "Semantic video search, step by step"
html_title = project
language = "en"
extensions = ["myst_nb"]

nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, str] = {}  # no widget state is committed, so no script for it
nb_merge_streams = True
myst_enable_extensions = ["attrs_block"]  # the class of the gallery
myst_heading_anchors = 3  # the glossary's terms

html_theme = "furo"
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_copy_source = False
html_use_index = False
html_show_copyright = False
html_show_sphinx = False


def level_of_captions(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Sphinx makes headings of the navigation's captions, without the level that screen readers need."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", level_of_captions, priority=900)  # after the theme has made the tree
