"""What the `gates` and `dependencies` guards read: settings, manifests, build files, and when these let more pass."""
