"""The Embed API: from videos, words and pictures to vectors, paid for once."""
