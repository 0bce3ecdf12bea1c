"""Prefect blocks: configuration that Prefect's UI edits, each with a factory of our objects."""

from __future__ import annotations

from blocks.queue import QueueBlock
from blocks.stores import (
    LocalStoreBlock,
    S3StoreBlock,
    StoreBlock,
    Stores,
    default_store,
    stores_from,
)
from blocks.vault import VaultBlock
from blocks.vision import VisionServiceBlock
from blocks.webhook import WebhookBlock

__all__ = [
    "LocalStoreBlock",
    "QueueBlock",
    "S3StoreBlock",
    "StoreBlock",
    "Stores",
    "VaultBlock",
    "VisionServiceBlock",
    "WebhookBlock",
    "default_store",
    "stores_from",
]
