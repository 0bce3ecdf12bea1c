"""What every block of ours must have, so that Prefect's UI explains itself."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from prefect.blocks.core import Block
from prefect.filesystems import LocalFileSystem
from prefect.utilities.callables import parameter_schema
from prefect_aws.credentials import AwsCredentials, MinIOCredentials
from prefect_aws.s3 import S3Bucket
from pydantic import ValidationError

import blocks
from dedup2d.errors import RequestError
from dedup2d.settings import read_settings
from dedup2d.stores.local import LocalStore
from dedup2d.stores.s3 import S3Store

OURS = [
    block
    for block in (getattr(blocks, name) for name in blocks.__all__)
    if isinstance(block, type) and issubclass(block, Block)
]
EXAMPLES = [
    blocks.LocalStoreBlock(upload_folder="up", result_folder="down"),
    blocks.S3StoreBlock(bucket="drawings"),
    blocks.S3StoreBlock(
        bucket="drawings",
        credentials=MinIOCredentials(minio_root_user="u", minio_root_password="hush"),
        endpoint="http://minio:9000",
        region="eu-central-1",
    ),
    blocks.S3StoreBlock(
        bucket="drawings",
        credentials=AwsCredentials(aws_access_key_id="k", aws_secret_access_key="hush"),
    ),
    blocks.QueueBlock(redis_url="redis://:hush@localhost:6379/0"),
    blocks.WebhookBlock(secret="hush", allowlist=[".example.com"], ports=[8443]),
    blocks.VisionServiceBlock(url="http://vision:58001"),
    blocks.VaultBlock(index_folder="index"),
]


@pytest.mark.parametrize("block", OURS, ids=lambda block: block.__name__)
class TestEveryBlock:
    def test_has_a_name_that_says_it_is_ours(self, block):
        assert block.get_block_type_name().startswith("dedup2d ")
        assert block.get_block_type_slug().startswith("dedup2d-")

    def test_has_a_description_a_picture_and_documentation(self, block):
        assert block.get_description().endswith(".")
        assert str(block._logo_url).startswith("https://")
        assert str(block._documentation_url).startswith("https://")

    def test_describes_and_titles_every_field(self, block):
        for name, field in block.model_fields.items():
            assert field.description, name
            assert field.description.endswith("."), name
            assert field.title or "_" not in name, name

    def test_builds_our_objects(self, block):
        assert any(name.startswith("build_") for name in vars(block))

    def test_has_an_example_here(self, block):
        assert any(type(example) is block for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: type(block).__name__)
def test_no_secret_is_shown(example):
    assert "hush" not in repr(example)
    assert "hush" not in example.model_dump_json()


@pytest.mark.stack
async def test_every_block_comes_back_from_a_server_as_it_was_saved(prefect_server):
    for number, example in enumerate(EXAMPLES):
        await example.save(f"example-{number}")
        loaded = await type(example).aload(f"example-{number}")
        assert loaded.model_dump(exclude=_HOUSEKEEPING) == example.model_dump(exclude=_HOUSEKEEPING)
        if isinstance(loaded, blocks.S3StoreBlock) and number == 1:
            assert client_facts(loaded.build_stores(s3_settings()).uploads)[1] == "our-key"
        for name in ("credentials", "secret"):
            assert type(getattr(loaded, name, None)) is type(getattr(example, name, None))


_HOUSEKEEPING = {"_block_document_name", "_block_document_id", "_is_anonymous"}


def settings(**environ: str):
    return read_settings({"DEDUP2D_DATA_DIR": "/data"} | environ)


def s3_settings():
    return settings(
        DEDUP2D_FILE_STORAGE="s3",
        DEDUP2D_S3_BUCKET="drawings",
        DEDUP2D_S3_ENDPOINT="http://minio:9000",
        DEDUP2D_S3_ACCESS_KEY="our-key",
        DEDUP2D_S3_SECRET_KEY="our-secret",
    )


def client_facts(store: S3Store) -> tuple[str, str, str]:
    client = store._client
    credentials = client._request_signer._credentials
    return client.meta.endpoint_url, credentials.access_key, store._prefix


def test_without_a_block_the_settings_decide():
    stores = blocks.stores_from(None, settings())
    assert isinstance(stores.uploads, LocalStore)
    assert stores.results._root == Path("/data/results")
    stores = blocks.stores_from(None, s3_settings())
    assert client_facts(stores.uploads) == ("http://minio:9000", "our-key", "dedup2d/uploads/")
    assert client_facts(stores.results) == ("http://minio:9000", "our-key", "dedup2d/results/")


def test_our_local_store_and_prefects_local_file_system_are_folders(tmp_path):
    ours = blocks.LocalStoreBlock(
        upload_folder=str(tmp_path / "up"), result_folder=str(tmp_path / "down")
    )
    assert blocks.stores_from(ours, settings()).uploads._root == tmp_path / "up"
    theirs = LocalFileSystem(basepath=str(tmp_path))
    assert blocks.stores_from(theirs, settings()).results._root == tmp_path / "results"


@pytest.mark.parametrize(
    "credentials",
    [
        AwsCredentials(
            aws_access_key_id="key",
            aws_secret_access_key="hush",
            aws_client_parameters={"endpoint_url": "http://there:9000"},
        ),
        MinIOCredentials(
            minio_root_user="key",
            minio_root_password="hush",
            aws_client_parameters={"endpoint_url": "http://there:9000"},
        ),
    ],
    ids=["aws", "minio"],
)
def test_s3_blocks_use_their_credentials_and_endpoint(credentials):
    bucket = S3Bucket(bucket_name="drawings", bucket_folder="cad", credentials=credentials)
    stores = blocks.stores_from(bucket, s3_settings())
    assert client_facts(stores.uploads) == ("http://there:9000", "key", "cad/uploads/")
    ours = blocks.S3StoreBlock(bucket="b", prefix="p", credentials=credentials)
    assert client_facts(ours.build_stores().uploads) == ("http://there:9000", "key", "p/")
    nearer = blocks.S3StoreBlock(bucket="b", credentials=credentials, endpoint="http://here:1")
    assert client_facts(nearer.build_stores().results)[0] == "http://here:1"


def test_the_default_block_is_the_store_of_the_settings_without_its_keys():
    block = blocks.default_store(s3_settings())
    assert "our-key" not in block.model_dump_json()
    stores = blocks.stores_from(block, s3_settings())
    assert client_facts(stores.uploads) == ("http://minio:9000", "our-key", "dedup2d/uploads/")
    local = blocks.default_store(settings())
    assert blocks.stores_from(local, settings()).uploads._root == Path("/data/uploads")


def test_a_flows_parameter_shows_a_picker_of_every_store():
    def takes(store: blocks.StoreBlock | None = None) -> None:
        """A flow."""

    schema = parameter_schema(takes).model_dump_for_openapi()
    slugs = {
        found["block_type_slug"]
        for found in schema["definitions"].values()
        if "block_type_slug" in found
    }
    assert slugs >= {"dedup2d-local-store", "dedup2d-s3-store", "local-file-system", "s3-bucket"}


@pytest.mark.parametrize("block", [LocalFileSystem(), blocks.QueueBlock(redis_url="redis://x")])
def test_another_block_is_refused_as_a_store(block):
    with pytest.raises(RequestError) as caught:
        blocks.stores_from(block, settings())
    assert caught.value.code == "STORE_UNSUPPORTED"


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        (blocks.S3StoreBlock, {"bucket": ""}),
        (blocks.S3StoreBlock, {"bucket": "b", "endpoint": "minio:9000"}),
        (blocks.VisionServiceBlock, {"url": "vision"}),
        (blocks.VisionServiceBlock, {"url": "http://v", "timeout_s": 0}),
        (blocks.WebhookBlock, {"timeout_s": 0}),
    ],
)
def test_wrong_values_are_refused_when_the_block_is_made(block, wrong):
    with pytest.raises(ValidationError):
        block(**wrong)


async def test_the_other_blocks_build_what_they_configure():
    webhook = blocks.WebhookBlock(secret="hush", timeout_s=3, allow_http=True)
    sender = webhook.build_sender(settings())
    assert sender._settings.callback_hmac_secret == "hush"
    assert sender._settings.callback_timeout_s == 3
    await sender.aclose()
    queue = blocks.QueueBlock(redis_url="redis://localhost:1/0", prefix="x").build_queue(settings())
    await queue.aclose()
    matcher = blocks.VisionServiceBlock(url="http://vision:58001").build_matcher(settings())
    await matcher.aclose()


@pytest.mark.parametrize("credentials", [MinIOCredentials, AwsCredentials])
def test_a_file_goes_through_prefects_bucket_and_through_ours(moto, credentials):
    keys = {"minio_root_user": "k", "minio_root_password": "s"}
    if credentials is AwsCredentials:
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    given = credentials(
        **keys, region_name="us-east-1", aws_client_parameters={"endpoint_url": moto}
    )
    theirs = S3Bucket(bucket_name="drawings", credentials=given)
    ours = blocks.S3StoreBlock(bucket="drawings", prefix="uploads", credentials=given)
    ref = blocks.stores_from(theirs, settings()).uploads.put(
        io.BytesIO(b"0\nEOF\n"), folder="job-1", file_name="a.dxf"
    )
    store = blocks.stores_from(ours, settings()).uploads
    assert store.verify(ref) == ref
    assert store.delete(ref)


def test_equal_blocks_share_a_client():
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    first, second = (
        blocks.S3StoreBlock(bucket="b", credentials=AwsCredentials(**keys)).build_stores()
        for _ in range(2)
    )
    assert first.uploads._client is second.results._client
    other = blocks.S3StoreBlock(bucket="b", region="eu-west-1", credentials=AwsCredentials(**keys))
    assert other.build_stores().uploads._client is not first.uploads._client
