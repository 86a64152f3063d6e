"""The book: the notebooks as a static site, with their committed outputs. `python -m tools.book`, or `make book`."""
