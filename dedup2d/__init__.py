"""dedup2d: tells whether a 2D drawing already exists in a vault, and shows why."""

__version__ = "0.1.0"
