"""A search cache: a search that was asked before is answered from memory.

A cache is right for as long as nobody writes. A write of this process, to any collection, through any client that
connect_milvus returned, empties it. What others write, on a server or through a client of pymilvus's own, is seen
when the answer's time to live has passed: until then the cache may answer with what was true before.
"""

import hashlib
import threading
from collections.abc import Mapping

import numpy as np
import pandas as pd
from cachetools import TTLCache
from pymilvus import MilvusClient

from helpers.arguments import is_number, is_whole
from helpers.errors import SearchError
from helpers.files import cache_key
from helpers.search.similarity import check_search, search_segments
from helpers.segments import Query
from helpers.store.calls import Client
from helpers.store.filters import Where, build_filter


class SearchCache:
    """Answers of `search_segments`, the last `size` that were asked for, each for at most `seconds`.

    `hits` and `misses` count the searches that were answered from memory and by Milvus. Threads may share one.
    Raises SearchError for a client that connect_milvus did not make, whose writes nobody counts, and for a size
    or seconds that are no numbers above 0.
    """

    def __init__(self, milvus: MilvusClient, *, size: int = 1000, seconds: float = 60.0) -> None:
        if not isinstance(milvus, Client):
            kind = type(milvus).__name__
            raise SearchError(
                f"The cache cannot see what a {kind} writes: give what connect_milvus returned."
            )
        if not is_whole(size, least=1):
            raise SearchError(f"The size is {size!r}: it must be a whole number from 1.")
        if not is_number(seconds) or seconds <= 0:
            raise SearchError(f"The seconds are {seconds!r}: give a number above 0.")
        self.hits = self.misses = 0
        self._milvus, self._writes, self._lock = milvus, Client.writes, threading.Lock()
        self._kept: TTLCache[str, pd.DataFrame] = TTLCache(size, seconds)

    def search(
        self,
        name: str,
        query: Query,
        *,
        option: str = "visual",
        scope: str | None = "clip",
        limit: int = 5,
        where: Where = None,
    ) -> pd.DataFrame:
        """As `search_segments`, from memory if the same was asked before and is not out of date.

        The same means: collection, numbers of the vector, model, option, scope, limit and filter.
        """
        check_search(query, scope, limit, where)
        key = _key(name, query, option, scope, limit, where)
        writes = Client.writes
        with self._lock:
            if writes != self._writes:
                self._kept.clear()
                self._writes = writes
            found = self._kept.get(key)
            self.hits += found is not None
            self.misses += found is None
        if found is None:
            found = search_segments(
                self._milvus, name, query, option=option, scope=scope, limit=limit, where=where
            )
            with self._lock:
                if Client.writes == writes == self._writes:  # nobody wrote meanwhile
                    self._kept[key] = found
        return found.copy()  # so that nobody changes what is kept

    def clear(self) -> None:
        """Forget every answer: when you know that somebody else has written."""
        with self._lock:
            self._kept.clear()


def _key(name: str, query: Query, option: str, scope: str | None, limit: int, where: Where) -> str:
    """A digest of all that decides the answer; the words of a query do not, its vector does."""
    numbers = np.ascontiguousarray(query.vector)
    vector = hashlib.sha256(numbers.tobytes()).hexdigest()
    given = where if isinstance(where, Mapping) else {}
    expression = build_filter(where, [str(field).removeprefix("has_") for field in given])
    return cache_key(
        name=name,
        vector=vector,
        kind=(str(numbers.dtype), numbers.shape),
        model=query.model,
        option=option,
        scope=scope,
        limit=limit,
        where=expression,
    )
