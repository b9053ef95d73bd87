"""What the `tests` guard compares: ways in which a test proves less than it did, one to a file."""
