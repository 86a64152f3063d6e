"""Helpers of the video search notebooks: everything that a notebook imports, in one place."""

from helpers.api import connect_twelvelabs
from helpers.controls import curve_player, curve_words, plot_curve, weight_slider
from helpers.display import (
    plot_timeline,
    search_box,
    show_contact_sheet,
    show_figure,
    show_moments,
    show_table,
    use_style,
)
from helpers.embedding import (
    Query,
    available_options,
    embed_clip,
    embed_image,
    embed_text,
    embed_videos,
    vector_field,
)
from helpers.errors import VideoSearchError
from helpers.evaluation import (
    bm25_ranking,
    evaluate,
    expected_at_random,
    load_ground_truth,
    summarise,
    temporal_iou,
)
from helpers.hybrid import Leg, average_queries, fuse, hybrid_search, hybrid_videos
from helpers.moments import around, find_moments, find_sequence, moment_recall, score_curve
from helpers.search import recommend, search_segments, search_videos, segment_query
from helpers.settings import check_environment, load_settings
from helpers.store import (
    build_filter,
    collection_name,
    connect_milvus,
    count_segments,
    create_collection,
    delete_video,
    disconnect_milvus,
    drop_collection,
    insert_segments,
    read_segments,
    relink,
)
from helpers.videos import own_videos, sample_videos

__all__ = [
    "Leg",
    "Query",
    "VideoSearchError",
    "around",
    "available_options",
    "average_queries",
    "bm25_ranking",
    "build_filter",
    "check_environment",
    "collection_name",
    "connect_milvus",
    "connect_twelvelabs",
    "count_segments",
    "create_collection",
    "curve_player",
    "curve_words",
    "delete_video",
    "disconnect_milvus",
    "drop_collection",
    "embed_clip",
    "embed_image",
    "embed_text",
    "embed_videos",
    "evaluate",
    "expected_at_random",
    "find_moments",
    "find_sequence",
    "fuse",
    "hybrid_search",
    "hybrid_videos",
    "insert_segments",
    "load_ground_truth",
    "load_settings",
    "moment_recall",
    "own_videos",
    "plot_curve",
    "plot_timeline",
    "read_segments",
    "recommend",
    "relink",
    "sample_videos",
    "score_curve",
    "search_box",
    "search_segments",
    "search_videos",
    "segment_query",
    "show_contact_sheet",
    "show_figure",
    "show_moments",
    "show_table",
    "summarise",
    "temporal_iou",
    "use_style",
    "vector_field",
    "weight_slider",
]
