"""Every generated struct speaks exactly the wire of botocore's model, member by member."""

import importlib
import inspect
import pkgutil

import msgspec
import pytest
from botocore.loaders import Loader

from moorage.ground.fault import Fault
from moorage.shapes import ecr, ecs, sts

VERSIONS = {"ecs": "2014-11-13", "ecr": "2015-09-21", "sts": "2011-06-15"}
PRIVATE = {
    "RegisterContainerInstanceRequest": {"clientToken"},
    "DiscoverPollEndpointRequest": {"zoneId"},
    "DiscoverPollEndpointResponse": {"systemLogsEndpoint"},
}
SAMPLES = {
    "string": "text",
    "integer": 7,
    "long": 7,
    "double": 1.5,
    "float": 1.5,
    "boolean": True,
    "timestamp": 1800000000.125,
    "blob": "AAEC",
}


def classes_of(package, base):
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return {
        name: thing
        for module in modules
        for name, thing in inspect.getmembers(module, inspect.isclass)
        if issubclass(thing, base) and thing is not base
    }


MODELS = {
    name: Loader().load_service_model(name, "service-2", version)
    for name, version in VERSIONS.items()
}
STRUCTS = {
    (package.__name__.rpartition(".")[2], name): struct
    for package in (ecs, ecr, sts)
    for name, struct in classes_of(package, msgspec.Struct).items()
    if struct.__module__.startswith(package.__name__)
}
FAULTS = {
    (package.__name__.rpartition(".")[2], name): fault
    for package in (ecs, ecr, sts)
    for name, fault in classes_of(package, Fault).items()
}


def sample(service, name, above=()):
    """A document with every member of a shape; a shape within itself is left out."""
    shapes = MODELS[service]["shapes"]
    shape = shapes[name]
    if shape.get("document"):
        return {"any": ["thing", 1]}
    if shape["type"] == "list":
        return [sample(service, shape["member"]["shape"], above)]
    if shape["type"] == "map":
        return {"key": sample(service, shape["value"]["shape"], above)}
    if shape["type"] != "structure":
        return SAMPLES[shape["type"]]
    private = PRIVATE.get(name, ()) if service == "ecs" else ()
    return {
        wire: sample(service, member["shape"], (*above, name))
        for wire, member in shape["members"].items()
        if member["shape"] not in above
    } | dict.fromkeys(private, "private")


@pytest.mark.parametrize(("service", "name"), sorted(STRUCTS))
def test_every_member_survives_the_wire_and_defaults_to_absent(service, name):
    struct = STRUCTS[service, name]
    document = sample(service, name)
    decoded = msgspec.json.decode(msgspec.json.encode(document), type=struct)
    assert all(getattr(decoded, member) is not None for member in struct.__struct_fields__)
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == document
    assert msgspec.json.encode(struct()) == b"{}"


@pytest.mark.parametrize(
    ("service", "count"), [("ecs", 88), ("ecr", 62), ("sts", 2)], ids=["ecs", "ecr", "sts"]
)
def test_operations_are_the_models(service, count):
    table = importlib.import_module(f"moorage.shapes.{service}.operations")
    operations = MODELS[service]["operations"]
    assert len(table.OPERATIONS) == count
    if service != "sts":
        assert set(table.OPERATIONS) == set(operations)
    for name, (request, response) in table.OPERATIONS.items():
        assert request.__name__ == operations[name]["input"]["shape"]
        assert response.__name__ == operations[name]["output"]["shape"]
    assert MODELS[service]["metadata"].get("targetPrefix", "") == table.TARGET
    assert MODELS[service]["metadata"]["apiVersion"] == table.API_VERSION


@pytest.mark.parametrize("service", ["ecs", "ecr"])
def test_every_error_of_the_model_is_a_fault(service):
    shapes = MODELS[service]["shapes"]
    errors = {name for name, shape in shapes.items() if shape.get("exception")}
    assert {name for kind, name in FAULTS if kind == service} == errors


@pytest.mark.parametrize(
    ("key", "code", "status"),
    [
        (("ecs", "ClusterNotFoundException"), "ClusterNotFoundException", 400),
        (("ecs", "ServerException"), "ServerException", 500),
        (("ecr", "RepositoryAlreadyExistsException"), "RepositoryAlreadyExistsException", 400),
        (("sts", "PackedPolicyTooLargeException"), "PackedPolicyTooLarge", 400),
        (("sts", "RegionDisabledException"), "RegionDisabledException", 403),
    ],
)
def test_a_fault_has_the_code_and_the_status_of_the_model(key, code, status):
    fault = FAULTS[key]("a sentence", lastValidByteReceived=3)
    assert (fault.code, fault.status) == (code, status)
    assert (fault.message, fault.members) == ("a sentence", {"lastValidByteReceived": 3})


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (("ecs", "CreateServiceRequest", "desiredCount"), 2**31 - 1, 2**31),
        (("ecs", "CreateServiceRequest", "desiredCount"), -(2**31), -(2**31) - 1),
        (("ecs", "Resource", "longValue"), 2**63 - 1, 2**63),
        (("ecs", "SubmitTaskStateChangeRequest", "pullStartedAt"), 0, 1e300),
        (("ecs", "CreateServiceRequest", "desiredCount"), 1, "1"),
    ],
)
def test_a_number_keeps_to_its_width(field, good, bad):
    service, name, wire = field
    struct = STRUCTS[service, name]
    document = {wire: good}
    decoded = msgspec.json.decode(msgspec.json.encode(document), type=struct)
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == document
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({wire: bad}), type=struct)


def test_null_is_absent_and_unknown_members_are_ignored():
    struct = STRUCTS["ecs", "CreateClusterRequest"]
    assert msgspec.json.decode(b'{"clusterName":null,"whatIsThis":[1]}', type=struct) == struct()
