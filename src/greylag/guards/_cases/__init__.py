"""Test cases, read without running them: where each is, what it asserts, and which one became which."""
