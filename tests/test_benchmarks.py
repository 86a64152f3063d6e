"""The pure parts of the benchmarks: made-up vectors, tables, and whether an aim is met. Never a time."""

import json

import nbformat
import numpy as np
import pandas as pd
import pytest

import helpers
from benchmarks import __main__ as bench
from benchmarks import (
    aims,
    charts,
    engine_child,
    made_up,
    notebooks,
    parallel,
    records,
    report,
    search_cache,
    stored,
)
from helpers.errors import DataError
from helpers.segments import COLUMNS
from helpers.standin.practice import PracticeServer
from tools.notebook_env import notebook_paths


def test_made_up_vectors_are_the_same_each_time_of_length_one_and_differ_by_draw():
    vectors = made_up.made_up_vectors(50, seed=1)
    assert vectors.shape == (50, made_up.DIM) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors, made_up.made_up_vectors(50, seed=1))
    assert not np.allclose(vectors, made_up.made_up_vectors(50, seed=1, of=7))


def test_made_up_segments_fit_a_collection_and_later_ones_are_of_other_videos():
    first, later = made_up.made_up_segments(200), made_up.made_up_segments(100, start=200)
    assert [*COLUMNS, "embedding_visual", "embedding_description"] == list(first)
    assert first["segment_id"].is_unique and first["video_id"].nunique() == 2
    assert not set(first["video_id"]) & set(later["video_id"])
    assert list(made_up.made_up_segments(10, options=1).columns)[-1] == "embedding_visual"


def test_nearest_is_the_exact_answer():
    vectors = made_up.made_up_vectors(300)
    query = vectors[42]
    assert list(made_up.nearest(vectors, query, 5)) == list(np.argsort(-(vectors @ query))[:5])
    assert len(made_up.nearest(vectors[:3], query, 5)) == 3


def test_recall_is_the_share_of_the_exact_answer():
    assert made_up.recall([1, 2, 9], [1, 2, 3, 4]) == 0.5
    assert made_up.recall([], []) == 1.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.00043, "0.43 ms"), (0.0171, "17 ms"), (2.44, "2.4 s"), (77.3, "77 s")],
)
def test_a_time_is_written_as_people_read_it(seconds, text):
    assert records.duration(seconds) == text


def test_a_table_has_every_column_once_and_empty_cells_where_a_row_has_none():
    text = records.table([{"a": 1, "b": "x|y"}, {"a": 2, "c": "two\nlines"}])
    assert text.splitlines() == [
        "| a | b | c |",
        "| --- | --- | --- |",
        "| 1 | x\\|y |  |",
        "| 2 |  | two lines |",
    ]


def test_a_summary_has_median_and_spread_in_milliseconds():
    assert records.summary([0.001 * n for n in range(1, 12)]) == {
        "times": 11,
        "p50_ms": 6.0,
        "p95_ms": 10.5,
        "spread_ms": [2.0, 10.0],
    }
    assert records.summary([])["p50_ms"] is None


def test_what_is_saved_is_read_again_and_names_no_host_or_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    path = records.save("some", [{"rows": 10}], load_before=0.5)
    found = records.read("some")
    assert found["rows"] == [{"rows": 10}] and found["load_before"] == 0.5
    assert set(found["machine"]) == {"cpu", "cores", "memory_gb", "system", "python", "packages"}
    assert found == json.loads(path.read_text(encoding="utf-8"))
    assert records.read("other") == {}
    assert not found["provisional"]
    records.save("busy", [], load_before=7.3)
    assert records.read("busy")["provisional"]


def answers(**this):
    insert = {"own": [10.0], "peak_mb": 130.0}
    raw = {"insert": {"own": [10.0], "peak_mb": 100.0}, "memory of searches": {"peak_mb": 100.0}}
    return {"this": {"insert": insert, **this}, "raw": raw}


def row_of(found, start):
    return next(row for row in found if row["operation"].startswith(start))


def test_an_aim_is_met_or_not_by_the_ratio_to_raw_pymilvus():
    for helper, met in ([0.11, 0.10, 0.12], True), ([0.12, 0.13, 0.13], False):
        found = aims.rows_of(answers(search={"helper": helper, "raw": [0.1, 0.1, 0.2]}), 1000)
        assert row_of(found, "search_segments")["met"] is met
    assert row_of(found, "search_segments")["this_ratio"] == 1.3
    assert row_of(found, "peak memory: insert")["met"]


def test_an_aim_in_seconds_and_one_in_rows_a_second():
    own = {"count": {"helper": [2.5], "raw": [9.0]}, "again": {"own": [11.0], "first": [10.0], "rows": 1000}}
    found = aims.rows_of(answers(**own), 1000)
    assert not row_of(found, "count_segments")["met"]
    again = row_of(found, "the same rows")
    assert again["met"] and round(again["this"]) == 91 and again["this_ratio"] == 0.909


def test_a_filter_on_hnsw_is_measured_by_the_same_filter_on_flat_and_tells_its_recall():
    flat = {"helper": [0.1], "raw": [0.1], "helper_recall": 1.0}
    for recall, met in (0.99, True), (0.98, False):
        hnsw = {"helper": [0.15], "raw": [0.05], "helper_recall": recall}
        found = aims.rows_of(answers(**{"filter 1 %": flat, "HNSW filter 1 %": hnsw}), 1000)
        row = row_of(found, "a filter that keeps 1 %")
        assert row["this_ratio"] == 1.5 and row["met"] is met
        assert row["this_note"] == f"recall {recall}, 3.0 × raw"


def test_a_step_that_failed_has_a_reason_and_no_figure():
    found = aims.rows_of(answers(count={"error": "SearchError: no answer came"}), 300_000)
    row = row_of(found, "count_segments")
    assert row["this"] is None and row["met"] is None and row["this_note"] == "SearchError: no answer came"
    assert "– (SearchError: no answer came)" in aims.shown(found)
    assert "no figure" in aims.shown(found)


def test_the_table_for_people_has_both_trees():
    both = answers(search={"helper": [0.11], "raw": [0.1]})
    both["baseline"] = {"insert": {"own": [20.0]}, "search": {"helper": [0.2], "raw": [0.1]}}
    text = aims.shown(aims.rows_of(both, 1000))
    assert "| 200 ms | 110 ms | 100 ms | 2.00 | 1.10 | 1.10 × raw | yes |" in text


def engine(name, **figures):
    row = {"engine": name, "rows": 1000, "build_s": 1.0, "disk_mb": 10.0, "peak_mb": 50.0, "p50_ms": 2.0}
    row |= {"p95_ms": 3.0, "spread_ms": [1.0, 3.0], "batch_ms": 1.0, "recall@10": 1.0}
    return row | {"filtered_p50_ms": 2.0, "filtered_recall@10": 1.0} | figures


def test_where_milvus_lite_loses_is_said_and_a_filter_that_finds_too_little_is_no_rival():
    rows = [
        engine("Milvus Lite FLAT", p50_ms=20.0, filtered_p50_ms=9.0),
        engine("Milvus Lite HNSW", p50_ms=8.0, filtered_p50_ms=4.0, **{"filtered_recall@10": 0.1}),
        engine("FAISS HNSW", filtered_p50_ms=0.1, **{"filtered_recall@10": 0.2}),
        engine("Chroma", p50_ms=1.0, filtered_p50_ms=3.0),
        {"engine": "hnswlib", "rows": 1000, "note": "its packages could not be installed"},
    ]
    said = report.losses(rows)
    assert said == "one search 8 times that of Chroma; filtered searches 3 times that of Chroma"
    assert report.losses([engine("Milvus Lite FLAT"), engine("Chroma", p50_ms=1.9)]) == ""


def test_an_engine_that_was_left_out_says_why_in_the_table():
    line = report.engine_line(
        {"engine": "hnswlib", "rows": 10, "note": "its packages could not be installed"}
    )
    assert line == {"engine": "hnswlib", "build": "not measured: its packages could not be installed"}
    assert report.engine_line(engine("Chroma"))["p50"] == "2 ms (1 ms to 3 ms)"


def test_the_page_has_what_was_measured_and_says_what_is_provisional(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    records.save("engines", [engine("Milvus Lite FLAT"), engine("Chroma")], load_before=0.1)
    found = aims.rows_of(answers(search={"helper": [0.11], "raw": [0.1]}), 10_000)
    records.save("real_size_10000", found, load_before=9.0)
    records.save(
        "real_size_10000_beside",
        [row | {"baseline": 1.0, "baseline_ratio": None} for row in found],
        load_before=0.1,
    )
    page = report.page()
    assert (
        "## Helpers at 10,000 rows\n" in page
        and "## Helpers at 10,000 rows, beside an older checkout" in page
    )
    assert "## Milvus Lite beside others" in page and "### 1,000 rows" in page
    assert page.count("**Provisional:**") == 1 and "## Notebooks" not in page


def test_the_engines_of_arrays_find_the_same(tmp_path):
    vectors = made_up.made_up_vectors(400)
    clusters = np.arange(400) % 40
    lists = {}
    for kind in (engine_child.Numpy, engine_child.Faiss, engine_child.FaissHnsw):
        one = kind(tmp_path)
        one.build(vectors, clusters)
        lists[kind] = [one.search(vectors[:3]), one.search(vectors[:3], filtered=True)]
    assert lists[engine_child.Numpy] == lists[engine_child.Faiss]
    assert [found[0] for found in lists[engine_child.FaissHnsw][0]] == [0, 1, 2]
    assert all(10 <= n % 40 <= 19 for found in lists[engine_child.Numpy][1] for n in found)


def test_the_first_result_is_the_first_cell_that_searches():
    cells = [
        nbformat.v4.new_markdown_cell("search_segments(milvus)"),
        nbformat.v4.new_code_cell("create_collection(milvus)"),
        nbformat.v4.new_code_cell("hits = search_segments(milvus, name, query)"),
    ]
    assert notebooks.first_search(nbformat.v4.new_notebook(cells=cells)) == 2
    assert notebooks.first_search(nbformat.v4.new_notebook(cells=cells[:2])) is None
    assert len([path for path in notebook_paths([]) if path.stem in notebooks.FIRST]) == 2


def test_each_part_of_make_bench_has_a_name_and_the_quick_ones_are_the_same_kinds():
    assert len(bench.parts(quick=False)) == len(bench.parts(quick=True)) == 8
    assert {"index_tuning", "growth", "organising", "engines", "notebooks", "explorer"} <= set(
        bench.parts(quick=True)
    )


# ---------------------------------------------------------------- what notebook 08 shows


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of stored runs with one in it, of a busy machine."""
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    records.save("consistency", [{"level": "Strong", "p50_ms": 300.0}], load_before=9.0, server="v2.3.5")
    return tmp_path / "results"


def test_a_stored_run_is_a_table_and_says_where_it_was_measured(results):
    run = stored.stored("consistency")
    assert run.rows.to_dict("records") == [{"level": "Strong", "p50_ms": 300.0}]
    assert "cores" in run.about and "Milvus server v2.3.5" in run.about and "other work" in run.about


def test_a_run_that_is_not_stored_says_how_to_make_it(results):
    with pytest.raises(DataError, match=r"python -m benchmarks\.milvus_lite --only growth"):
        stored.stored("growth")
    with pytest.raises(DataError, match="There is no run 'speed': choose from"):
        stored.stored("speed")


def test_with_the_switch_a_run_is_made_anew(results, monkeypatch):
    asked = []
    monkeypatch.setattr(stored.subprocess, "run", lambda command, **_: asked.append(command[1:]))
    stored.stored("consistency")
    monkeypatch.setenv("VIDEO_SEARCH_RERUN", "1")
    stored.stored("consistency")
    assert asked == [["-m", "benchmarks.consistency"]]


def test_in_a_race_all_ways_take_turns():
    turns = []
    seconds = stored.race({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, times=3)
    assert turns == ["a", "b"] * 4 and set(seconds) == {"a", "b"} and min(seconds.values()) > 0


def test_times_are_printed_so_that_the_gate_masks_them(capsys):
    stored.took({"memory": 0.00012, "Milvus": 1.234})
    assert capsys.readouterr().out == "memory: took 0.12 ms\nMilvus: took 1.23 s\n"


def test_the_least_time_is_that_of_the_rounds_or_of_the_limit():
    assert parallel.floor(2.0, 4, a_minute=None, minute=60.0, videos=16) == 8.0
    assert parallel.floor(2.0, 8, a_minute=8, minute=60.0, videos=16) == 62.0
    assert parallel.floor(2.0, 4, a_minute=8, minute=60.0, videos=16) == 64.0
    assert parallel.floor(2.0, 8, a_minute=16, minute=60.0, videos=16) == 4.0


def test_small_videos_differ_and_are_long_enough_for_the_service(tmp_path):
    paths = parallel.small_videos(tmp_path / "videos", 2)
    assert len({path.read_bytes() for path in paths}) == 2
    assert helpers.probe_videos(paths)["verdict"].tolist() == ["ok", "ok"]


@pytest.mark.slow
def test_sixteen_videos_are_embedded_by_several_workers_under_a_limit(tmp_path):
    paths = parallel.small_videos(tmp_path, 4)
    with PracticeServer("marengo3.5", time_scale=0.001) as server:
        parallel.embed_all(server, paths, 4, a_minute=2)
        assert len(server.tasks) == 4 and server.charged.total() == 4


def test_a_zipf_workload_asks_the_first_question_most_and_is_the_same_each_time():
    asked = search_cache.zipf_workload(2000, 50)
    counts = [asked.count(n) for n in range(50)]
    assert counts[0] == max(counts) and set(asked) <= set(range(50)) and len(asked) == 2000
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.4)
    assert asked == search_cache.zipf_workload(2000, 50)


def test_the_front_holds_what_nothing_else_beats_in_both():
    rows = pd.DataFrame({"p50_ms": [5.0, 1.0, 3.0, 4.0, 1.0], "recall@10": [1.0, 0.5, 0.9, 0.8, 0.4]})
    assert charts.pareto(rows).index.tolist() == [1, 2, 0]


@pytest.mark.slow
def test_every_chart_says_in_words_what_it_shows(capsys):
    trade = pd.DataFrame({"p50_ms": [1.0, 2.0], "recall@10": [0.5, 1.0], "index": ["A", "B"]})
    workers = pd.DataFrame({"workers": [1, 2], "s": [2.0, 1.0], "least_s": [2.0, 1.0], "limit": "none"})
    lines = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index([10, 100], name="rows"))
    charts.show_trade(trade, "index", front=True, alt="a front")
    charts.show_trade(trade, "index", panels="index", alt="two panels")
    charts.show_workers(workers, title="workers", alt="by workers")
    charts.show_lines(lines, "ms", title="lines", alt="a line", notice=1.5)
    charts.show_bars(pd.Series([1.0, 2.0], index=["A", "B"]), [True, False], "ms", title="bars", alt="bars")
    said = capsys.readouterr().out
    for words in ("a front", "two panels", "by workers", "a line", "bars"):
        assert words in said
