"""A registry for each test, over blobs in memory; `both` also over files."""

import pytest

from moorage.blob.filesystem import FilesystemBlobStore
from moorage.blob.medium import Medium
from tests.ecr.rig import Rig


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.close()


@pytest.fixture(params=["memory", "files"])
def both(request, tmp_path):
    store = FilesystemBlobStore(tmp_path, Medium(0)) if request.param == "files" else None
    made = Rig(store)
    yield made
    made.close()
    if store is not None and hasattr(store, "close"):
        store.close()
