"""Requests to register, made of a small sound one."""

import msgspec

from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest

WEB = {"name": "web", "image": "demo:1", "memory": 64}
SIDE = {**WEB, "name": "side", "essential": False}


def request(**members) -> RegisterTaskDefinitionRequest:
    given_members = {"family": "web", "containerDefinitions": [WEB], **members}
    return msgspec.convert(given_members, RegisterTaskDefinitionRequest)


def web(**members) -> RegisterTaskDefinitionRequest:
    return request(containerDefinitions=[{**WEB, **members}])


def task(*containers, **members) -> RegisterTaskDefinitionRequest:
    return request(containerDefinitions=list(containers), **members)


def check(**members) -> RegisterTaskDefinitionRequest:
    return web(healthCheck={"command": ["CMD", "true"], **members})


def linux(**members) -> RegisterTaskDefinitionRequest:
    return web(linuxParameters=members)
