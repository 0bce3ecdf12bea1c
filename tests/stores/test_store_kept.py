"""What tenants keep in a store, folder or S3: their configuration, and geometry JSON."""

from __future__ import annotations

import gzip
import json

import pytest

from dedup2d.errors import RequestError, ServiceError
from dedup2d.stores.geometries import GeometryStore
from dedup2d.tenant_config import TenantConfig, TenantConfigs

HASH = "ab" * 32


def test_a_configuration_is_seen_by_everybody_at_once(place):
    """Two processes on one store: what one writes, the other reads next (C15)."""
    ours, theirs = TenantConfigs(place.store), TenantConfigs(place.store)
    assert theirs.read("t") == TenantConfig()
    ours.write("t", TenantConfig(preset="loose", similar_threshold=0))
    assert theirs.read("t").values() == {"preset": "loose", "similar_threshold": 0}
    assert theirs.read("other") == TenantConfig()
    ours.write("t", TenantConfig(precision_top_n=3))
    assert theirs.read("t").values() == {"precision_top_n": 3}
    theirs.delete("t")
    theirs.delete("t")
    assert ours.read("t") == TenantConfig()


def test_a_damaged_configuration_is_named_and_can_be_replaced(place):
    """Silent defaults would answer another question than the tenant's (C15)."""
    configs = TenantConfigs(place.store)
    place.store.write_bytes("t", "config.json", b'{"preset": 5}')
    with pytest.raises(ServiceError) as caught:
        configs.read("t")
    assert caught.value.code == "TENANT_CONFIG_DAMAGED"
    configs.write("t", TenantConfig(preset="strict"))
    assert configs.read("t").preset == "strict"


def test_geometry_is_kept_per_tenant_and_drawing(place, tmp_path):
    """Compressed, replaced by the next, and no answer about other vaults."""
    store = GeometryStore(place.store)
    document = tmp_path / "g.json"
    for text in ('{"entities": []}', '{"entities": [], "meta": {"n": 2}}'):
        document.write_text(text)
        store.keep("t", HASH, document)
    assert store.has("t", HASH)
    assert not store.has("other", HASH)
    assert not store.has("t", "cd" * 32)
    store.keep("other", HASH, document)
    store.drop("other", HASH)
    store.drop("other", HASH)
    (kept,) = place.store.list()
    data = place.store.read_bytes(kept.folder, kept.location.rpartition("/")[2], max_bytes=9999)
    assert json.loads(gzip.decompress(data)) == {"entities": [], "meta": {"n": 2}}


@pytest.mark.parametrize(
    "file_hash", ["", "ab" * 16, "AB" * 32, "../" + "a" * 61, "ab" * 32 + "\n"]
)
def test_what_is_no_sha256_is_refused(place, file_hash):
    with pytest.raises(RequestError) as caught:
        GeometryStore(place.store).has("t", file_hash)
    assert caught.value.message == "Invalid file_hash; expected 64-char lowercase hex sha256"
