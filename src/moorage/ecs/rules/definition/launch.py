"""What RunTask, StartTask, CreateService and UpdateService may not ask yet, refused by name."""

from moorage.ecs.rules.refusal import Refusal
from moorage.shapes.ecs.service import CreateServiceRequest, UpdateServiceRequest
from moorage.shapes.ecs.task import RunTaskRequest, StartTaskRequest


def refuse_run(request: RunTaskRequest) -> Refusal | None:
    """Why RunTask refuses, by its members alone: what is not built, or out of range."""
    raise NotImplementedError


def refuse_start(request: StartTaskRequest) -> Refusal | None:
    """Why StartTask refuses, by its members alone."""
    raise NotImplementedError


def refuse_create(request: CreateServiceRequest) -> Refusal | None:
    """Why CreateService refuses, by its members alone."""
    raise NotImplementedError


def refuse_update(request: UpdateServiceRequest) -> Refusal | None:
    """Why UpdateService refuses, by its members alone."""
    raise NotImplementedError
