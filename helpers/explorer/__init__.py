"""The cluster explorer."""
