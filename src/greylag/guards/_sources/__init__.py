"""What the `sources` guard looks for: ways in which code cheats its tests or drops a check, one to a file."""
