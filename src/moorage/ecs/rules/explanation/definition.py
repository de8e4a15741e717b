"""What becomes of each member of a task definition or a service: it runs, is stored, or is refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.definition.launch import refuse_create
from moorage.ecs.rules.definition.members import OURS
from moorage.ecs.rules.definition.validate import refuse
from moorage.ecs.rules.explanation.strangers import strangers
from moorage.ecs.rules.refusal import Refusal
from moorage.ecs.rules.service_tags import HEEDED, wishes
from moorage.ecs.rules.tags import refuse_tags
from moorage.ground.record import Record
from moorage.shapes.ecs.service import CreateServiceRequest
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest

Verdict = Literal["runs", "stored", "unplaced", "refused", "unknown"]
Document = Mapping[str, Any]
CONTAINERS = "containerDefinitions"

_STORED_OF_DEFINITION: Mapping[str, str] = {
    "executionRoleArn": "It is kept and shown: the host's own key pulls the images.",
    "requiresCompatibilities": "It is checked and kept: tasks run on the hosts that joined.",
}
_STORED_OF_PORT: Mapping[str, str] = {
    "name": "It is kept and shown: there is no Service Connect yet.",
    "appProtocol": "It is kept and shown: there is no Service Connect yet.",
}
_STORED_OF_SERVICE: Mapping[str, str] = {
    "enableExecuteCommand": "It is kept and shown: there is no ExecuteCommand yet.",
}
# By what follows `moorage.capability.` in requiresAttributes: the member that asks for it.
_MEMBERS: Mapping[str, str] = {
    "task-role": "taskRoleArn",
    "awsvpc": "networkMode",
    "proxy": "proxyConfiguration",
    "inference-accelerators": "inferenceAccelerators",
    "ephemeral-storage": "ephemeralStorage",
    "fault-injection": "enableFaultInjection",
    "trusted-execution": "trustedExecutionConfiguration",
    "environment-files": "environmentFiles",
    "repository-credentials": "repositoryCredentials",
    "credential-specs": "credentialSpecs",
    "accelerators": "resourceRequirements",
    "firelens": "firelensConfiguration",
    "awslogs": "logConfiguration",
    "secrets": "secrets",
    "efs": "volumes",
    "s3-files": "volumes",
    "fsx": "volumes",
    "ebs": "volumes",
}


class Finding(Record):
    """One member by its path, what becomes of it, and why where that is not plain."""

    member: str
    verdict: Verdict
    text: str = ""


def of_definition(request: RegisterTaskDefinitionRequest, document: Document) -> list[Finding]:
    """What RegisterTaskDefinition and the hosts make of a document; `request` is it decoded."""
    found = [*_refused(refuse(request), refuse_tags(request.tags))]
    if not found:
        found += _unplaced(request)
    found += _unknown(strangers(document, RegisterTaskDefinitionRequest))
    found += _stored(document, _STORED_OF_DEFINITION)
    found += [
        Finding(
            member=f"tags[{place}]",
            verdict="stored",
            text=f"{tag.key} is heeded on a service; on a task definition it is a tag like others.",
        )
        for place, tag in enumerate(request.tags or ())
        if tag.key in HEEDED
    ]
    for place, container in enumerate(_dicts(document.get(CONTAINERS))):
        path = f"{CONTAINERS}[{place}]"
        for number, mapping in enumerate(_dicts(container.get("portMappings"))):
            found += _stored(mapping, _STORED_OF_PORT, f"{path}.portMappings[{number}].")
    return [*found, *_running(document, found)]


def of_service(request: CreateServiceRequest, document: Document) -> list[Finding]:
    """What CreateService makes of a document; `request` is it decoded."""
    found = [*_refused(refuse_create(request), refuse_tags(request.tags))]
    found += _unknown(strangers(document, CreateServiceRequest))
    found += _stored(document, _STORED_OF_SERVICE)
    found += [
        Finding(
            member=f"tags[{place}]",
            verdict="stored",
            text=f"It means nothing here and is ignored: {ignored}.",
        )
        for place, tag in enumerate(request.tags or ())
        for ignored in wishes([tag]).ignored
    ]
    return [*found, *_running(document, found)]


def headline(found: Sequence[Finding], asked: int, fits: int | None) -> str:
    """In one sentence: is it refused, can it run here, and how much of it now."""
    refused = next((one for one in found if one.verdict == "refused"), None)
    if refused is not None:
        return f"It would be refused: {refused.text}"
    unplaced = sorted({one.member for one in found if one.verdict == "unplaced"})
    if unplaced:
        return f"It registers, and no host can run it: {', '.join(unplaced)} is not built yet."
    if fits is None:
        return (
            "It is sound; where it could run is not known, since its definition is not registered."
        )
    if fits >= asked:
        return f"It runs here: {_tasks(asked)} would find a host now."
    return f"It is sound, and only {fits} of {_tasks(asked)} would find a host now."


def _refused(*refusals: Refusal | None) -> list[Finding]:
    return [
        Finding(member="", verdict="refused", text=one.message)
        for one in refusals
        if one is not None
    ]


def _unplaced(request: RegisterTaskDefinitionRequest) -> Iterator[Finding]:
    """What registers and stands in requiresAttributes as something that is not built."""
    for attribute in normal_form(request).requires_attributes or ():
        name = attribute.name or ""
        if name.startswith(OURS):
            wish = name.removeprefix(OURS)
            yield Finding(
                member=_MEMBERS.get(wish, wish),
                verdict="unplaced",
                text=f"It registers, and no host takes it: {name} is offered by none.",
            )


def _unknown(paths: Sequence[str]) -> list[Finding]:
    why = "AWS's model has no such member: it is ignored. The AWS CLI refuses it."
    return [Finding(member=path, verdict="unknown", text=why) for path in paths]


def _stored(document: Document, why: Mapping[str, str], path: str = "") -> list[Finding]:
    return [
        Finding(member=f"{path}{name}", verdict="stored", text=text)
        for name, text in why.items()
        if document.get(name)
    ]


def _running(document: Document, found: Sequence[Finding]) -> Iterator[Finding]:
    """Every other member that was given, those of each container by its place."""
    told = {one.member for one in found}
    for name in document:
        if name not in told and name != CONTAINERS:
            yield Finding(member=name, verdict="runs")
    for place, container in enumerate(_dicts(document.get(CONTAINERS))):
        for name in container:
            path = f"{CONTAINERS}[{place}].{name}"
            if path not in told and name not in told:
                yield Finding(member=path, verdict="runs")


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"
