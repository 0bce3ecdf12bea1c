"""The vault's index: fingerprints on disk, found by key, tokens and descriptor."""
