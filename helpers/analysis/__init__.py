"""Clusters, outliers, trends, and the analyst's own words."""
