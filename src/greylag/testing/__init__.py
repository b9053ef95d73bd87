"""Public fakes, fixtures and contract tests for plugins and their users."""
