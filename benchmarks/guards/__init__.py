"""Labelled changes, and how often the guards agree with the labels."""
