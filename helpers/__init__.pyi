# The public names, in the order of the data's way; editors and type checkers read this, and so does __init__.py.

from .settings import check_environment as check_environment, load_settings as load_settings
from .errors import EmbedError as EmbedError, QuotaError as QuotaError, VideoSearchError as VideoSearchError
from .logs import (
    read_log as read_log,
    start_logging as start_logging,
    stop_logging as stop_logging,
    timed as timed,
)
from .redaction import redact as redact
from .segments import Query as Query, available_options as available_options, vector_field as vector_field
from .videos.limits import probe_videos as probe_videos
from .videos.own import own_videos as own_videos
from .videos.practice import practice_videos as practice_videos
from .videos.samples import sample_videos as sample_videos
from .standin.offline import OfflineTransport as OfflineTransport
from .standin.practice import PracticeServer as PracticeServer
from .embed.client import connect_twelvelabs as connect_twelvelabs
from .embed.embedding import (
    Batch as Batch,
    cached_videos as cached_videos,
    embed_batch as embed_batch,
    embed_videos as embed_videos,
)
from .embed.estimate import estimate_cost as estimate_cost
from .embed.queries import embed_clip as embed_clip, embed_image as embed_image, embed_text as embed_text
from .embed.uploads import delete_uploads as delete_uploads
from .store.backup import export_collection as export_collection, import_collection as import_collection
from .store.client import (
    collection_name as collection_name,
    connect_milvus as connect_milvus,
    disconnect_milvus as disconnect_milvus,
    drop_collection as drop_collection,
)
from .store.collection import create_collection as create_collection
from .store.filters import build_filter as build_filter
from .store.io import (
    count_segments as count_segments,
    delete_video as delete_video,
    insert_segments as insert_segments,
    read_segments as read_segments,
    relink as relink,
    update_clusters as update_clusters,
)
from .search.cache import SearchCache as SearchCache
from .search.evaluation import (
    bm25_ranking as bm25_ranking,
    evaluate as evaluate,
    expected_at_random as expected_at_random,
    load_ground_truth as load_ground_truth,
    mark_right as mark_right,
    summarise as summarise,
    temporal_iou as temporal_iou,
)
from .search.fusion import fuse as fuse
from .search.hybrid import (
    Leg as Leg,
    average_queries as average_queries,
    hybrid_search as hybrid_search,
    hybrid_videos as hybrid_videos,
)
from .search.moments import (
    around as around,
    find_moments as find_moments,
    find_sequence as find_sequence,
    moment_recall as moment_recall,
    score_curve as score_curve,
)
from .search.questions import own_questions as own_questions
from .search.similarity import (
    recommend as recommend,
    search_segments as search_segments,
    search_videos as search_videos,
    segment_query as segment_query,
)
from .analysis.carry import Carried as Carried, assign_clusters as assign_clusters
from .analysis.clusters import (
    agreement as agreement,
    choose_k as choose_k,
    hdbscan_clusters as hdbscan_clusters,
    kmeans_clusters as kmeans_clusters,
    map_points as map_points,
    stability as stability,
)
from .analysis.exports import (
    export_chapters as export_chapters,
    export_clips as export_clips,
    export_csv as export_csv,
)
from .analysis.labels import (
    annotate_segment as annotate_segment,
    change_labels as change_labels,
    name_cluster as name_cluster,
    read_labels as read_labels,
    tag_segments as tag_segments,
    untag_segments as untag_segments,
    write_labels as write_labels,
)
from .analysis.matrix import cluster_matrix as cluster_matrix
from .analysis.moves import (
    move_segments as move_segments,
    moved_clusters as moved_clusters,
    unmove_segments as unmove_segments,
)
from .analysis.outliers import (
    near_duplicates as near_duplicates,
    odd_segments as odd_segments,
    outlier_scores as outlier_scores,
    typical_segments as typical_segments,
)
from .analysis.trends import cluster_shares as cluster_shares
from .analysis.words import (
    nearest_concepts as nearest_concepts,
    scene_labels as scene_labels,
    suggest_labels as suggest_labels,
)
from .show.captions import format_time as format_time
from .show.cluster_style import cluster_style as cluster_style
from .show.clusters import plot_k as plot_k, plot_map as plot_map, plot_maps as plot_maps
from .show.curve import curve_words as curve_words, plot_curve as plot_curve
from .show.curve_player import curve_player as curve_player
from .show.figures import show_figure as show_figure, use_style as use_style
from .show.frame_map import show_map as show_map
from .show.pictures import show_contact_sheet as show_contact_sheet
from .show.players import show_moments as show_moments
from .show.shares import plot_shares as plot_shares
from .show.similarity import plot_similarity as plot_similarity
from .show.table import show_table as show_table
from .show.timeline import plot_timeline as plot_timeline
from .show.widgets import search_box as search_box, weight_slider as weight_slider
from .explorer.widget import cluster_explorer as cluster_explorer
