"""The table of ECR: every operation, one line each, and those that are not built yet."""

from typing import Any

from moorage.ecr.operations import (
    authorization,
    image,
    image_change,
    layer,
    repository,
    tag,
)
from moorage.ecr.store.images import IMAGES, REFERENCES
from moorage.ecr.store.layers import BLOBS, LAYERS
from moorage.ecr.store.logins import LOGINS
from moorage.ecr.store.repositories import REPOSITORIES
from moorage.ecr.store.uploads import UPLOADS
from moorage.kernel.api import Api
from moorage.kernel.controller import Controller
from moorage.shapes.ecr.constraints import CONSTRAINTS
from moorage.shapes.ecr.faults import InvalidParameterException
from moorage.shapes.ecr.operations import OPERATIONS, TARGET
from moorage.sql.document import Table

ECR = Api(
    service="ecr",
    target=TARGET,
    shapes=OPERATIONS,
    operations=[
        authorization.get_authorization_token,
        image.batch_get_image,
        image.describe_images,
        image.list_images,
        image_change.batch_delete_image,
        image_change.put_image,
        layer.batch_check_layer_availability,
        repository.create_repository,
        repository.delete_repository,
        repository.describe_repositories,
        repository.put_image_tag_mutability,
        tag.list_tags_for_resource,
        tag.tag_resource,
        tag.untag_resource,
    ],
    absent=[
        "BatchGetRepositoryScanningConfiguration",
        "CompleteLayerUpload",
        "CreatePullThroughCacheRule",
        "CreateRepositoryCreationTemplate",
        "DeleteLifecyclePolicy",
        "DeletePullThroughCacheRule",
        "DeleteRegistryPolicy",
        "DeleteRepositoryCreationTemplate",
        "DeleteRepositoryPolicy",
        "DeleteSigningConfiguration",
        "DeregisterPullTimeUpdateExclusion",
        "DescribeImageReplicationStatus",
        "DescribeImageScanFindings",
        "DescribeImageSigningStatus",
        "DescribePullThroughCacheRules",
        "DescribeRegistry",
        "DescribeReplicationBackfillResults",
        "DescribeRepositoryCreationTemplates",
        "GetAccountSetting",
        "GetDownloadUrlForLayer",
        "GetLifecyclePolicy",
        "GetLifecyclePolicyPreview",
        "GetRegistryPolicy",
        "GetRegistryScanningConfiguration",
        "GetRepositoryPolicy",
        "GetSigningConfiguration",
        "InitiateLayerUpload",
        "ListImageReferrers",
        "ListPullTimeUpdateExclusions",
        "ListReplicationBackfills",
        "PutAccountSetting",
        "PutImageScanningConfiguration",
        "PutLifecyclePolicy",
        "PutRegistryPolicy",
        "PutRegistryScanningConfiguration",
        "PutReplicationConfiguration",
        "PutSigningConfiguration",
        "RegisterPullTimeUpdateExclusion",
        "SetRepositoryPolicy",
        "StartImageScan",
        "StartLifecyclePolicyPreview",
        "StartReplicationBackfill",
        "StopReplicationBackfill",
        "UpdateImageStorageClass",
        "UpdatePullThroughCacheRule",
        "UpdateRepositoryCreationTemplate",
        "UploadLayerPart",
        "ValidatePullThroughCacheRule",
    ],
    constraints=CONSTRAINTS,
    invalid=InvalidParameterException,
)

TABLES: tuple[Table[Any], ...] = (
    REPOSITORIES,
    IMAGES,
    REFERENCES,
    BLOBS,
    LAYERS,
    UPLOADS,
    LOGINS,
)
# The collector moves bytes, so it is the data plane's own (`distribution/sweep.py`).
CONTROLLERS: tuple[Controller, ...] = ()
