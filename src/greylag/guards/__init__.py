"""Guards: one short file per rule about a diff; nothing is run."""
