# The public names, in the order of the data's way; editors and type checkers read this, and so does __init__.py.

from .analysis.carry import (
    Carried as Carried,
)
from .analysis.carry import (
    assign_clusters as assign_clusters,
)
from .analysis.clusters import (
    agreement as agreement,
)
from .analysis.clusters import (
    choose_k as choose_k,
)
from .analysis.clusters import (
    hdbscan_clusters as hdbscan_clusters,
)
from .analysis.clusters import (
    kmeans_clusters as kmeans_clusters,
)
from .analysis.clusters import (
    map_points as map_points,
)
from .analysis.clusters import (
    stability as stability,
)
from .analysis.exports import (
    export_chapters as export_chapters,
)
from .analysis.exports import (
    export_clips as export_clips,
)
from .analysis.exports import (
    export_csv as export_csv,
)
from .analysis.labels import (
    annotate_segment as annotate_segment,
)
from .analysis.labels import (
    change_labels as change_labels,
)
from .analysis.labels import (
    name_cluster as name_cluster,
)
from .analysis.labels import (
    read_labels as read_labels,
)
from .analysis.labels import (
    tag_segments as tag_segments,
)
from .analysis.labels import (
    untag_segments as untag_segments,
)
from .analysis.labels import (
    write_labels as write_labels,
)
from .analysis.matrix import (
    cluster_matrix as cluster_matrix,
)
from .analysis.moves import (
    move_segments as move_segments,
)
from .analysis.moves import (
    moved_clusters as moved_clusters,
)
from .analysis.moves import (
    unmove_segments as unmove_segments,
)
from .analysis.outliers import (
    near_duplicates as near_duplicates,
)
from .analysis.outliers import (
    odd_segments as odd_segments,
)
from .analysis.outliers import (
    outlier_scores as outlier_scores,
)
from .analysis.outliers import (
    typical_segments as typical_segments,
)
from .analysis.trends import (
    cluster_shares as cluster_shares,
)
from .analysis.words import (
    nearest_concepts as nearest_concepts,
)
from .analysis.words import (
    scene_labels as scene_labels,
)
from .analysis.words import (
    suggest_labels as suggest_labels,
)
from .embed.client import (
    connect_twelvelabs as connect_twelvelabs,
)
from .embed.embedding import (
    Batch as Batch,
)
from .embed.embedding import (
    cached_videos as cached_videos,
)
from .embed.embedding import (
    embed_batch as embed_batch,
)
from .embed.embedding import (
    embed_videos as embed_videos,
)
from .embed.estimate import (
    estimate_cost as estimate_cost,
)
from .embed.queries import (
    embed_clip as embed_clip,
)
from .embed.queries import (
    embed_image as embed_image,
)
from .embed.queries import (
    embed_text as embed_text,
)
from .embed.uploads import (
    delete_uploads as delete_uploads,
)
from .errors import (
    EmbedError as EmbedError,
)
from .errors import (
    QuotaError as QuotaError,
)
from .errors import (
    VideoSearchError as VideoSearchError,
)
from .explorer.widget import (
    cluster_explorer as cluster_explorer,
)
from .logs import (
    read_log as read_log,
)
from .logs import (
    start_logging as start_logging,
)
from .logs import (
    stop_logging as stop_logging,
)
from .logs import (
    timed as timed,
)
from .redaction import (
    redact as redact,
)
from .search.cache import (
    SearchCache as SearchCache,
)
from .search.evaluation import (
    bm25_ranking as bm25_ranking,
)
from .search.evaluation import (
    evaluate as evaluate,
)
from .search.evaluation import (
    expected_at_random as expected_at_random,
)
from .search.evaluation import (
    load_ground_truth as load_ground_truth,
)
from .search.evaluation import (
    mark_right as mark_right,
)
from .search.evaluation import (
    summarise as summarise,
)
from .search.evaluation import (
    temporal_iou as temporal_iou,
)
from .search.fusion import (
    fuse as fuse,
)
from .search.hybrid import (
    Leg as Leg,
)
from .search.hybrid import (
    average_queries as average_queries,
)
from .search.hybrid import (
    hybrid_search as hybrid_search,
)
from .search.hybrid import (
    hybrid_videos as hybrid_videos,
)
from .search.moments import (
    around as around,
)
from .search.moments import (
    find_moments as find_moments,
)
from .search.moments import (
    find_sequence as find_sequence,
)
from .search.moments import (
    moment_recall as moment_recall,
)
from .search.moments import (
    score_curve as score_curve,
)
from .search.questions import (
    own_questions as own_questions,
)
from .search.similarity import (
    recommend as recommend,
)
from .search.similarity import (
    search_segments as search_segments,
)
from .search.similarity import (
    search_videos as search_videos,
)
from .search.similarity import (
    segment_query as segment_query,
)
from .segments import (
    Query as Query,
)
from .segments import (
    available_options as available_options,
)
from .segments import (
    vector_field as vector_field,
)
from .settings import (
    check_environment as check_environment,
)
from .settings import (
    load_settings as load_settings,
)
from .show.captions import (
    format_time as format_time,
)
from .show.cluster_style import (
    cluster_style as cluster_style,
)
from .show.clusters import (
    plot_k as plot_k,
)
from .show.clusters import (
    plot_map as plot_map,
)
from .show.clusters import (
    plot_maps as plot_maps,
)
from .show.curve import (
    curve_words as curve_words,
)
from .show.curve import (
    plot_curve as plot_curve,
)
from .show.curve_player import (
    curve_player as curve_player,
)
from .show.figures import (
    show_figure as show_figure,
)
from .show.figures import (
    use_style as use_style,
)
from .show.frame_map import (
    show_map as show_map,
)
from .show.pictures import (
    show_contact_sheet as show_contact_sheet,
)
from .show.players import (
    show_moments as show_moments,
)
from .show.shares import (
    plot_shares as plot_shares,
)
from .show.similarity import (
    plot_similarity as plot_similarity,
)
from .show.table import (
    show_table as show_table,
)
from .show.timeline import (
    plot_timeline as plot_timeline,
)
from .show.widgets import (
    search_box as search_box,
)
from .show.widgets import (
    weight_slider as weight_slider,
)
from .standin.offline import (
    OfflineTransport as OfflineTransport,
)
from .standin.practice import (
    PracticeServer as PracticeServer,
)
from .store.backup import (
    export_collection as export_collection,
)
from .store.backup import (
    import_collection as import_collection,
)
from .store.client import (
    collection_name as collection_name,
)
from .store.client import (
    connect_milvus as connect_milvus,
)
from .store.client import (
    disconnect_milvus as disconnect_milvus,
)
from .store.client import (
    drop_collection as drop_collection,
)
from .store.collection import (
    create_collection as create_collection,
)
from .store.filters import (
    build_filter as build_filter,
)
from .store.io import (
    count_segments as count_segments,
)
from .store.io import (
    delete_video as delete_video,
)
from .store.io import (
    insert_segments as insert_segments,
)
from .store.io import (
    read_segments as read_segments,
)
from .store.io import (
    relink as relink,
)
from .store.io import (
    update_clusters as update_clusters,
)
from .videos.limits import (
    probe_videos as probe_videos,
)
from .videos.own import (
    own_videos as own_videos,
)
from .videos.practice import (
    practice_videos as practice_videos,
)
from .videos.samples import (
    sample_videos as sample_videos,
)
