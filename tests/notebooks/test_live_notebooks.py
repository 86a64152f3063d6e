"""Every notebook runs to its end live: as marengo3.5, and as marengo3.0.

As marengo3.0 one proves in `make test` that a second model works, the others run in `make test-all`. As marengo3.5 the
notebooks are the learners of one `milvus-lite server`, each with a prefix; as marengo3.0, and where outputs are
compared, each has a folder.
"""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tools.live_run import run_live
from tools.notebook_env import notebook_paths

NOTEBOOKS = notebook_paths([])
PROOF = "04_similarity_search"  # its searches name options, which are others in 3.0


@pytest.fixture(scope="session")
def milvus_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store_server = pytest.importorskip("tools.faults.store_server", reason="it takes a POSIX system")
    server = store_server.Server(tmp_path_factory.mktemp("milvus"))
    yield f"http://127.0.0.1:{server.port}"
    server.kill()


@pytest.mark.live
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_live_as_marengo_3_5_on_a_server(path: Path, milvus_uri: str) -> None:
    assert run_live(path, "marengo3.5", milvus_uri=milvus_uri) == []


@pytest.mark.live
@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=[] if p.stem == PROOF else pytest.mark.nightly) for p in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_live_as_marengo_3_0(path: Path) -> None:
    assert run_live(path, "marengo3.0") == []


def test_the_notebook_of_the_second_model_is_there() -> None:
    assert PROOF in {path.stem for path in NOTEBOOKS}


@pytest.mark.live
def test_what_counts_as_a_failure(tmp_path: Path) -> None:
    cells = ["import os\n\nprint(os.environ['TWELVE_LABS_API_KEY'])", "assert 1 > 2, 'a check that fails'"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, tmp_path / "bad.ipynb")
    problems = " ".join(run_live(tmp_path / "bad.ipynb", "marengo3.5", keep_going=True))
    for words in ("a check that fails", "the key is in an output", "was not live"):
        assert words in problems
    assert "a check that fails" in " ".join(run_live(tmp_path / "bad.ipynb", "marengo3.5"))
