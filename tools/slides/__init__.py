"""Slides of the lessons' lecture parts, with reveal.js: `python -m tools.slides`, or `make slides`."""
