import shutil
import socket

import pytest

import demo
from demo_clients import docker, surroundings
from moorage.cli.engine import DEFAULT_SOCKET
from moorage.cli.place import Place
from moorage.shapes.ecs.container_definition import ContainerDefinition, PortMapping
from moorage.shapes.ecs.task_definition import TaskDefinition

SERVER = Place(
    endpoint="http://127.0.0.1:4750", access_key_id="A", secret_access_key="S", region="us-east-1"
)


def a_definition(image="i", *ports):
    mappings = [PortMapping(container_port=8080, host_port=port) for port in ports]
    containers = [ContainerDefinition(name="web", image=image, port_mappings=mappings)]
    return TaskDefinition(family="web", revision=4, container_definitions=containers)


def test_the_tag_follows_the_sample(tmp_path):
    for name in demo.SAMPLE_FILES:
        shutil.copy(demo.SAMPLE / name, tmp_path)
    assert demo.tag_of(tmp_path) == demo.tag_of(demo.SAMPLE)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert demo.tag_of(tmp_path) != demo.tag_of(demo.SAMPLE)


@pytest.mark.parametrize(
    ("definition", "port"),
    [(a_definition("i", 8080), 8080), (a_definition("i", 0), None), (a_definition(), None)],
)
def test_the_fixed_port_of_a_definition(definition, port):
    assert demo.port_of(definition) == port


def test_a_definition_goes_by_family_and_revision():
    assert demo.name_of(a_definition("a/b:1")) == "web:4"
    assert demo.image_of(a_definition("a/b:1")) == "a/b:1"
    assert demo.image_of(TaskDefinition()) == ""


def test_a_taken_port_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not demo.port_is_free(port)
    assert demo.port_is_free(port)
    assert not demo.port_is_free(None)


def test_the_users_own_aws_settings_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    monkeypatch.setenv("DOCKER_CONTEXT", "far-away")
    made = surroundings(SERVER, tmp_path)
    assert made["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4750"
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "DOCKER_CONTEXT"}.isdisjoint(made)
    assert not (tmp_path / "run" / "none").exists()
    assert made["PATH"]


def test_docker_keeps_its_logins_in_our_folder_and_meets_the_same_engine(tmp_path):
    command = docker(tmp_path, DEFAULT_SOCKET, "push", "x")
    assert command == ("docker", "--config", f"{tmp_path}/docker", "push", "x")
    other = docker(tmp_path, tmp_path / "d.sock", "push", "x")
    assert other[3:5] == ("--host", f"unix://{tmp_path}/d.sock")


def test_the_container_takes_the_same_port_on_each_host():
    made = demo.container("image", 8081)
    assert made["portMappings"] == [{"containerPort": 8080, "hostPort": 8081}]
    assert made["essential"] is True
