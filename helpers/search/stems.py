"""Words that carry meaning, brought to their stems: whether a query shares one with a description."""

import re

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS


def content_words(text: str) -> set[str]:
    """The stems of the words in `text` that carry meaning: without scikit-learn's English stop words.

    A light rule, made to find more kinship than there is rather than less: cut a possessive 's; turn -ies
    into -y, or cut one of -ing, -ed, -es, -s (if three letters with a vowel remain); then a doubled last
    consonant counts once, and a last e is dropped. So juggle, juggles and juggling are one word, and so
    are skip and skipping.
    """
    words = re.findall(r"[^\W_]+", re.sub(r"['\u2019]s\b", "", text.lower()))
    return {_stem(word) for word in words if word not in ENGLISH_STOP_WORDS}


def _stem(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    else:
        for suffix in ("ing", "ed", "es", "s"):
            rest = word.removesuffix(suffix)
            if rest != word and len(rest) >= 3 and re.search("[aeiouy]", rest):
                word = rest
                break
    word = re.sub(r"([^\Waeiou])\1$", r"\1", word)
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def shares_content_word(query: str, text: str) -> bool:
    """Whether a query has a content word in common with a text (see `content_words`)."""
    return not content_words(query).isdisjoint(content_words(text))
