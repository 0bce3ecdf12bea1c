"""Addresses that users name: which of them we call, and how."""
