"""Where the server listens, as whom it is known, and what cannot be meant."""

import re

import pytest

from moorage.gateway.address import (
    ListenRefused,
    certified_names,
    check,
    is_loopback,
    joined,
    listen,
    local_url,
    parted,
    public_names,
    speaks_tls,
)
from moorage.gateway.settings import Settings
from tests.clients.processes import free_port

EVERYWHERE = {"listen": "0.0.0.0:4750", "public_names": ("registry.lab",)}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("registry.lab:4750", ("registry.lab", "4750")),
        ("registry.lab", ("registry.lab", "")),
        ("[::1]:4750", ("::1", "4750")),
        ("[::1]", ("::1", "")),
        ("2001:db8::5", ("2001:db8::5", "")),
        ("10.0.0.5:443", ("10.0.0.5", "443")),
        (":4750", ("", "4750")),
    ],
)
def test_hosts_and_ports_are_told_apart(text, parts):
    assert parted(text) == parts
    if all(parts):
        assert joined(*parts) == text


@pytest.mark.parametrize(
    ("members", "tls"),
    [
        ({}, False),
        ({"tls": True}, True),
        ({"certificate": "c", "key": "k"}, True),
        ({"listen": "127.0.0.2:1"}, False),
        ({"listen": "[::1]:1"}, False),
        ({"listen": "localhost:1"}, False),
        (EVERYWHERE, True),
        ({**EVERYWHERE, "insecure": True}, False),
        ({"listen": "10.0.0.5:4750"}, True),
        ({"listen": "10.0.0.5:4750", "insecure": True}, False),
    ],
)
def test_the_port_is_tls_where_others_can_reach_it(members, tls):
    assert speaks_tls(Settings(**members)) is tls


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({}, ("127.0.0.1:4750",)),
        ({"public_names": ("a.lab", "b.lab:443")}, ("a.lab:4750", "b.lab:443")),
        ({"public_names": ("2001:db8::5",)}, ("[2001:db8::5]:4750",)),
        ({"public_names": ("[2001:db8::5]",)}, ("[2001:db8::5]:4750",)),
        ({"listen": "10.0.0.5:80"}, ("10.0.0.5:80",)),
    ],
)
def test_public_names_have_a_port(members, names):
    assert public_names(Settings(**members)) == names


def test_the_certificate_has_each_name_with_its_port_and_without():
    names = certified_names(Settings(listen="10.0.0.5:4750", public_names=("a.lab", "b.lab:443")))
    assert names[0] == "a.lab"
    for name in ("a.lab", "b.lab", "10.0.0.5", "localhost", "127.0.0.1", "::1"):
        assert name in names
    for name in ("a.lab:4750", "b.lab:443", "10.0.0.5:4750", "127.0.0.1:4750", "[::1]:4750"):
        assert name in names
    assert "b.lab:4750" not in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("listening", ["0.0.0.0:4750", "[::]:4750", ":4750"])
def test_every_address_is_no_name(listening):
    names = certified_names(Settings(listen=listening, public_names=("a.lab",)))
    assert not {"0.0.0.0", "::", "", "0.0.0.0:4750", "[::]:4750"} & set(names)


@pytest.mark.parametrize(
    ("members", "url"),
    [
        ({}, "http://127.0.0.1:4750"),
        ({"tls": True}, "https://127.0.0.1:4750"),
        (EVERYWHERE, "https://127.0.0.1:4750"),
        ({**EVERYWHERE, "listen": "[::]:4750"}, "https://[::1]:4750"),
        ({**EVERYWHERE, "insecure": True}, "http://127.0.0.1:4750"),
        ({"listen": "10.0.0.5:4750"}, "https://10.0.0.5:4750"),
        ({**EVERYWHERE, "certificate": "c", "key": "k"}, "https://registry.lab:4750"),
    ],
)
def test_this_machine_s_own_programs_know_an_address(members, url):
    assert local_url(Settings(**members)) == url


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        *(
            ({"listen": text}, text)
            for text in ("foo", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1]:x")
        ),
        ({"listen": "0.0.0.0:4750"}, "--public-name"),
        ({"listen": "[::]:4750"}, "--public-name"),
        ({"listen": "0.0.0.0:4750", "insecure": True}, "--public-name"),
        ({"certificate": "c"}, "--key"),
        ({"key": "k"}, "--certificate"),
        ({"authority": "a"}, "--authority"),
        ({"insecure": True, "tls": True}, "one of them"),
        ({"insecure": True, "certificate": "c", "key": "k"}, "one of them"),
        ({"public_names": ("bücher.lab",)}, "xn--"),
        ({"public_names": ("a.lab:http",)}, "public name"),
        ({"public_names": ("https://a.lab",)}, "public name"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_advice(members, reason):
    with pytest.raises(ListenRefused, match=re.escape(reason)):
        check(Settings(**members))


def test_a_socket_listens_and_is_not_handed_on():
    with listen(Settings(listen=f"127.0.0.1:{free_port()}")) as listening:
        assert not listening.get_inheritable()


@pytest.mark.parametrize("address", ["localhost", "127.0.0.9", "::1"])
def test_loopback(address):
    assert is_loopback(address)
    assert not is_loopback("10.0.0.5")
