"""What maintainers run: the gate, refreshing outputs, fixtures, faults."""

import sys

# jsonschema builds this grammar as it is imported, 2 s of work, to check addresses in the letters of any script: the
# schemas of notebooks have none. JupyterLab, nbformat and with them each worker of pytest start without it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
