"""A repository: a name under which images are kept, in one account and region."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecr.repository import (
    EncryptionConfiguration,
    ImageScanningConfiguration,
    ImageTagMutabilityExclusionFilter,
)
from moorage.shapes.ecr.tag import Tag


class Repository(Record):
    """One repository; `mutability` is one of ECR's four words."""

    account: str
    region: str
    name: str
    arn: str
    created_at: Instant
    mutability: str = "MUTABLE"
    exclusion_filters: list[ImageTagMutabilityExclusionFilter] = []
    scanning: ImageScanningConfiguration = ImageScanningConfiguration(scan_on_push=False)
    encryption: EncryptionConfiguration = EncryptionConfiguration(encryption_type="AES256")
    tags: list[Tag] = []
