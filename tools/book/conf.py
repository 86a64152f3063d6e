"""Sphinx's settings for the book: outputs as they are committed, and nothing that is fetched from elsewhere."""

from pathlib import Path

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
