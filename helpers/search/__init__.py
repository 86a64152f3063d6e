"""From a query to hits, from hits to moments, and how good they are."""
