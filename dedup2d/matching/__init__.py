"""Geometry matching: canonical form, keys, pose, verification, relation."""
