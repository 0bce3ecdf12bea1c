"""Matching by a dedupcad-vision service over HTTP."""
