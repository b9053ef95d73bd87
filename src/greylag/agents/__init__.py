"""Agents: one short file per agent; the file's name is the name in the configuration."""
