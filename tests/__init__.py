"""The tests. Each worker has a core of its own at best, so scikit-learn gets one thread.

With two, they wait for each other on a busy machine: ten times as long for a small map. Set before numpy is loaded.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
