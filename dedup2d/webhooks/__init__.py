"""Webhooks: what they say, how they are signed, how they are delivered."""
