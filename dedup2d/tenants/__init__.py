"""Tenants: who they are, what they may use, and where that is kept."""
