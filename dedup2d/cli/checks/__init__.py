"""What ``dedup2d doctor`` looks at."""
