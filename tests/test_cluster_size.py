"""The arithmetic of docs/servers.md against what was measured, and the table there against the arithmetic."""

import pytest

from helpers.settings import ROOT
from tools.cluster_size import cluster_size, table, vector_bytes


@pytest.mark.parametrize(("rows", "measured_mb"), [(10_000, 22), (100_000, 219)])
def test_hnsw_is_as_large_as_the_files_that_faiss_wrote(rows, measured_mb):
    in_memory, on_disk = vector_bytes("HNSW", 512, 16)
    assert rows * in_memory / 1e6 == pytest.approx(measured_mb, rel=0.02)
    assert on_disk == 0


def test_a_server_with_100_000_rows_takes_what_was_measured():
    size = cluster_size(100_000, 512)
    assert size.memory_gb == pytest.approx(0.350, rel=0.15)  # Milvus 2.3.5: 600 MB, of which 250 empty
    assert size.query_nodes == 1


def test_a_billion():
    hnsw = cluster_size(10**9, 512, options=2, replicas=2)
    assert hnsw.memory_gb == pytest.approx(2 * 10**9 * (2 * (2048 + 136.5) + 400) / 0.65 / 1e9, rel=0.001)
    assert hnsw.query_nodes == 2 * 115
    diskann = cluster_size(10**9, 512, options=2, replicas=2, index_type="DISKANN")
    assert diskann.memory_gb < hnsw.memory_gb / 3
    assert diskann.disk_gb == 2 * 2 * 4096  # a row of 512 numbers and its links fill a sector of their own


def test_small_vectors_share_a_sector_and_large_ones_take_several():
    assert vector_bytes("DISKANN", 128, 16)[1] == 4096 / 5
    assert vector_bytes("DISKANN", 1024, 16)[1] == 8192


@pytest.mark.parametrize("index_type", ["FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "DISKANN"])
def test_more_of_anything_needs_more(index_type):
    one = cluster_size(10**8, 512, index_type=index_type)
    for more in ({"replicas": 2}, {"options": 2}):
        assert cluster_size(10**8, 512, index_type=index_type, **more).memory_gb > one.memory_gb
    assert cluster_size(2 * 10**8, 512, index_type=index_type).memory_gb == pytest.approx(2 * one.memory_gb)
    assert cluster_size(10**8, 512, index_type=index_type, node_gb=32).query_nodes >= 2 * one.query_nodes - 1


@pytest.mark.parametrize(
    "bad", [{"rows": 0}, {"dimension": 0}, {"replicas": 0}, {"index_type": "NONE"}, {"m": 1}]
)
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match="start at 1|choose from"):
        cluster_size(**({"rows": 1, "dimension": 1} | bad))


def test_the_table_of_the_docs_is_the_one_that_the_tool_prints():
    assert table() in (ROOT / "docs" / "servers.md").read_text("utf-8")
