"""Verifiers: one short file per ecosystem; the file's name is the name in the configuration."""
