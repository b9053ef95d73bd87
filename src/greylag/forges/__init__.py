"""Forges: one file per host of repositories and pull requests."""
