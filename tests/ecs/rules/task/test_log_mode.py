"""How log drivers are fed, where a definition leaves it open."""

import pytest

from moorage.ecs.rules.task.log_mode import with_log_mode
from moorage.shapes.ecs.container_definition import ContainerDefinition, LogConfiguration

NON_BLOCKING = {"mode": "non-blocking", "max-buffer-size": "10m"}


def container(driver, options=None):
    return ContainerDefinition(
        name="main", log_configuration=LogConfiguration(log_driver=driver, options=options)
    )


@pytest.mark.parametrize(
    ("driver", "options", "mode", "expected"),
    [
        ("json-file", None, "non-blocking", NON_BLOCKING),
        ("syslog", {"tag": "x"}, "non-blocking", {"tag": "x", **NON_BLOCKING}),
        ("json-file", {"mode": "blocking"}, "non-blocking", {"mode": "blocking"}),
        ("json-file", {"mode": "non-blocking"}, "blocking", NON_BLOCKING),
        (
            "local",
            {"max-buffer-size": "4m"},
            "non-blocking",
            {"mode": "non-blocking", "max-buffer-size": "4m"},
        ),
        ("json-file", {"max-size": "1m"}, "blocking", {"max-size": "1m"}),
        ("json-file", None, "blocking", None),
        ("none", None, "non-blocking", None),
    ],
)
def test_options(driver, options, mode, expected):
    found = with_log_mode(container(driver, options), mode)
    assert found.log_configuration.options == expected
    assert with_log_mode(found, mode) == found


def test_a_definition_that_names_no_driver_is_left_to_docker():
    silent = ContainerDefinition(name="main")
    assert with_log_mode(silent, "non-blocking") is silent
