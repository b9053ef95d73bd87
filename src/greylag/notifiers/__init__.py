"""Notifiers: one file per way to tell somebody."""
