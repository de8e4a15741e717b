"""Pools in the settings file: what is read, and what is refused by name."""

import pytest

from moorage.gateway.compose import site_of
from moorage.gateway.settings import SettingsRefused, load
from moorage.ground.instant import hours, minutes, seconds
from moorage.kernel.site import PoolRule

LOCAL = 'source = "local"\ncpu = 1\nmemory = 1\n'


def read(folder, text):
    (folder / "moorage.toml").write_text(f"[pools.spare]\n{text}")
    return load({"data": str(folder)}, {}).settings


def test_a_pool_is_read_and_becomes_a_rule(tmp_path):
    settings = read(
        tmp_path,
        """
        source = "command"
        create = ["/usr/local/bin/make-host", "--size", "small"]
        destroy = ["/usr/local/bin/unmake-host"]
        list = ["/usr/local/bin/hosts"]
        min = 1
        max = 5
        cluster = "web"
        zone = "rack-1"
        attributes = { disk = "ssd" }
        drain_seconds = 60
        """,
    )
    pool = settings.pools["spare"]
    assert pool.create == ("/usr/local/bin/make-host", "--size", "small")
    assert pool.listing == ("/usr/local/bin/hosts",)
    assert pool.attributes == {"disk": "ssd"}
    assert site_of(settings, "111122223333").pools == (
        PoolRule(
            name="spare",
            account="111122223333",
            region="us-east-1",
            cluster="web",
            size_min=1,
            size_max=5,
            join=minutes(10),
            scale_in=minutes(15),
            drain=seconds(60),
        ),
    )


def test_the_defaults_are_those_of_ecs(tmp_path):
    rule = site_of(read(tmp_path, LOCAL), "1" * 12).pools[0]
    assert (rule.size_min, rule.size_max, rule.cluster) == (0, 1, "default")
    assert (rule.scale_in, rule.drain) == (minutes(15), hours(48))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("min = 1", "source"),
        ('source = "cloud"', "neither local nor command"),
        ('source = "local"', "needs cpu"),
        ('source = "command"\ncreate = ["x"]', "needs create and destroy"),
        (f"{LOCAL}size = 3", "size"),
        (f"{LOCAL}min = 3\nmax = 2", "greater than max"),
        (f"{LOCAL}max = 5001", "max: must be between 0 and 5000"),
        (f"{LOCAL}tries = 0", "tries: must be between"),
        (f'{LOCAL}cluster = "no spaces"', "no name of a cluster"),
        (f'{LOCAL}account = "7"', "twelve digits"),
        (f'{LOCAL}region = "mars-east-1"', "is not served"),
        (f'{LOCAL}zone = "a\\nb"', "zone"),
        (f'{LOCAL}attributes = {{ "ecs.os" = "x" }}', "attributes"),
    ],
)
def test_a_bad_pool_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(SettingsRefused, match=said):
        read(tmp_path, text)


def test_a_long_name_is_refused(tmp_path):
    (tmp_path / "moorage.toml").write_text(f"[pools.{'x' * 49}]\n{LOCAL}")
    with pytest.raises(SettingsRefused, match="at most 48"):
        load({"data": str(tmp_path)}, {})
