"""The models by name: what nothing else may know about them."""

OFFLINE_MODEL = "offline-384"


LIVE_MODEL = "marengo3.5"


TEMPORAL_MODELS = (LIVE_MODEL, OFFLINE_MODEL)  # they speak the dialect of Marengo 3.5, the others that of 3.0
OFFLINE_DIMENSION = 384  # numbers of a vector
