"""Every fault that is practised: what the user sees, and what is lost or paid for twice.

`python -m tools.faults` lets each happen and prints the table of docs/faults.md; `--write` puts it there.
tests/embed/test_faults.py and tests/store/test_store_faults.py hold every row to "lost 0, doubled 0".
"""
