"""Helpers of the video search notebooks: everything that a notebook imports, in one place."""

from helpers.analysis import agreement, choose_k, hdbscan_clusters, kmeans_clusters, map_points, stability
from helpers.api import connect_twelvelabs
from helpers.charts import cluster_style, plot_k, plot_map, plot_maps, plot_shares, plot_similarity
from helpers.cluster_words import nearest_concepts, scene_labels, suggest_labels
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
from helpers.embedding import Batch, cached_videos, embed_batch, embed_videos
from helpers.errors import EmbedError, QuotaError, VideoSearchError
from helpers.estimate import estimate_cost
from helpers.evaluation import (
    bm25_ranking,
    evaluate,
    expected_at_random,
    load_ground_truth,
    summarise,
    temporal_iou,
)
from helpers.explorer import cluster_explorer
from helpers.hybrid import Leg, average_queries, fuse, hybrid_search, hybrid_videos
from helpers.labels import (
    Carried,
    annotate_segment,
    assign_clusters,
    export_chapters,
    export_clips,
    export_csv,
    name_cluster,
    read_labels,
    tag_segments,
    write_labels,
)
from helpers.limits import probe_videos
from helpers.logs import read_log, redact, start_logging, stop_logging, timed
from helpers.matrix import cluster_matrix
from helpers.moments import around, find_moments, find_sequence, moment_recall, score_curve
from helpers.outliers import near_duplicates, odd_segments, outlier_scores, typical_segments
from helpers.own import own_videos
from helpers.practice_server import PracticeServer
from helpers.queries import Query, embed_clip, embed_image, embed_text
from helpers.search import recommend, search_segments, search_videos, segment_query
from helpers.segments import available_options, vector_field
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
    update_clusters,
)
from helpers.trends import cluster_shares
from helpers.uploads import delete_uploads
from helpers.videos import sample_videos

__all__ = [
    "Batch",
    "Carried",
    "EmbedError",
    "Leg",
    "PracticeServer",
    "Query",
    "QuotaError",
    "VideoSearchError",
    "agreement",
    "annotate_segment",
    "around",
    "assign_clusters",
    "available_options",
    "average_queries",
    "bm25_ranking",
    "build_filter",
    "cached_videos",
    "check_environment",
    "choose_k",
    "cluster_explorer",
    "cluster_matrix",
    "cluster_shares",
    "cluster_style",
    "collection_name",
    "connect_milvus",
    "connect_twelvelabs",
    "count_segments",
    "create_collection",
    "curve_player",
    "curve_words",
    "delete_uploads",
    "delete_video",
    "disconnect_milvus",
    "drop_collection",
    "embed_batch",
    "embed_clip",
    "embed_image",
    "embed_text",
    "embed_videos",
    "estimate_cost",
    "evaluate",
    "expected_at_random",
    "export_chapters",
    "export_clips",
    "export_csv",
    "find_moments",
    "find_sequence",
    "fuse",
    "hdbscan_clusters",
    "hybrid_search",
    "hybrid_videos",
    "insert_segments",
    "kmeans_clusters",
    "load_ground_truth",
    "load_settings",
    "map_points",
    "moment_recall",
    "name_cluster",
    "near_duplicates",
    "nearest_concepts",
    "odd_segments",
    "outlier_scores",
    "own_videos",
    "plot_curve",
    "plot_k",
    "plot_map",
    "plot_maps",
    "plot_shares",
    "plot_similarity",
    "plot_timeline",
    "probe_videos",
    "read_labels",
    "read_log",
    "read_segments",
    "recommend",
    "redact",
    "relink",
    "sample_videos",
    "scene_labels",
    "score_curve",
    "search_box",
    "search_segments",
    "search_videos",
    "segment_query",
    "show_contact_sheet",
    "show_figure",
    "show_moments",
    "show_table",
    "stability",
    "start_logging",
    "stop_logging",
    "suggest_labels",
    "summarise",
    "tag_segments",
    "temporal_iou",
    "timed",
    "typical_segments",
    "update_clusters",
    "use_style",
    "vector_field",
    "weight_slider",
    "write_labels",
]
