import shlex
import subprocess

import pytest
from typer.testing import CliRunner

from moorage.cli.env import app, exports
from moorage.cli.place import find


def test_all_services_are_pointed_here(place):
    made = exports(find(place, None, key="root"))
    assert made["AWS_ACCESS_KEY_ID"] == "AKIAROOT"
    assert made["AWS_REGION"] == made["AWS_DEFAULT_REGION"] == "us-east-1"
    endpoints = {name: value for name, value in made.items() if name.startswith("AWS_ENDPOINT")}
    assert set(endpoints) == {f"AWS_ENDPOINT_URL{one}" for one in ("", "_ECS", "_ECR", "_STS")}
    assert set(endpoints.values()) == {"http://127.0.0.1:4750"}


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_ECR", "AWS_REGION"])
def test_a_shell_takes_what_is_printed(place, tmp_path, name):
    result = CliRunner().invoke(app, ["--data", str(place)], env={"PATH": str(tmp_path)})
    assert result.exit_code == 0
    script = f'AWS_PROFILE=mine\n{result.stdout}\nprintf \'%s|%s\' "${name}" "$AWS_PROFILE"'
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == f"{exports(find(place, None, key='root'))[name]}|"


def test_unset_undoes_each_of_them(place, tmp_path):
    result = CliRunner().invoke(app, ["--data", str(place), "--unset"], env={"PATH": str(tmp_path)})
    names = {shlex.split(line)[1] for line in result.stdout.splitlines()}
    assert names == set(exports(find(place, None, key="root")))


def test_whom_to_trust_is_exported_where_there_is_tls(secure_place, place):
    made = exports(find(secure_place, None, key="root"))
    assert made["AWS_CA_BUNDLE"] == str(secure_place / "keys" / "ca.pem")
    assert made["AWS_ENDPOINT_URL"] == "https://127.0.0.1:4750"
    (place / "run" / "address").write_text("http://127.0.0.1:4750\n")
    assert "AWS_CA_BUNDLE" not in exports(find(place, None, key="root"))
