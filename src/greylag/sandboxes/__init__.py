"""Sandboxes: one file per kind of isolation."""
