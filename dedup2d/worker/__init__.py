"""The warm worker: runs flow runs of a work pool in one process, woken by the doorbell."""
