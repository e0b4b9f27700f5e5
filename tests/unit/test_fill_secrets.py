"""`slo-compiler fill-secrets`: what it fills, what it refuses, and that it never shows a secret."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cases import ROOT, compiled, tool
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.cli import main
from slo_compiler.filling import variable

PREFIX = "/etc/alertmanager/secrets"
SECRETS = {
    f"{PREFIX}/shop/slack": "https://hooks.slack.example/T0/SECRET-ONE",
    f"{PREFIX}/shop/pagerduty": 'SECRET-TWO: "#{{ }}\\ é',
    f"{PREFIX}/warehouse/hook": "SECRET-THREE",
}


def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["fill-secrets", *map(str, arguments)], env=env)


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """Write the configurations of Mimir's organisations."""
    folder = tmp_path / "generated/mimir"
    for artefact in compiled("mimir").artefacts:
        if artefact.path.endswith("/alertmanager.yaml"):
            path = folder / artefact.path.removeprefix("mimir/")
            path.parent.mkdir(parents=True)
            path.write_text(artefact.text, encoding="utf-8")
    return folder


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Write all secrets below a folder, at their whole paths."""
    for path, secret in SECRETS.items():
        file = tmp_path / "secrets" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{secret}\n", encoding="utf-8")
    return tmp_path / "secrets"


def fields(text: str) -> dict[str, str]:
    """Give the fields of the receivers that are, or were, secrets."""
    config = yaml.safe_load(text)
    integrations = (
        each
        for receiver in config["receivers"]
        for kind, several in receiver.items()
        if kind != "name"
        for each in several
    )
    return {
        key: value
        for each in integrations
        for key, value in each.items()
        if key.startswith(("api_url", "routing_key", "api_key"))
    }


def test_fill_secrets_puts_each_secret_of_files_in_its_place(
    generated: Path, secrets: Path, tmp_path: Path
) -> None:
    done = run(generated, "--files", secrets, "-o", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"filled 2 configurations in {tmp_path / 'out'}\n"
    path = tmp_path / "out/retail/alertmanager.yaml"
    text = path.read_text(encoding="utf-8")
    slack, pagerduty, hook = SECRETS.values()
    assert fields(text) == {"api_url": slack, "routing_key": pagerduty, "api_key": hook}
    assert "_file:" not in text
    before = yaml.safe_load((generated / "retail/alertmanager.yaml").read_text())
    after = yaml.safe_load(text)
    for key in ("route", "inhibit_rules", "time_intervals"):
        assert before[key] == after[key]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_fill_secrets_gives_what_amtool_takes(
    suite: str, generated: Path, secrets: Path, tmp_path: Path
) -> None:
    assert run(generated, "--files", secrets, "-o", tmp_path / "out").exit_code == 0
    for path in sorted((tmp_path / "out").rglob("*.yaml")):
        command = [tool(suite, "amtool"), "check-config", path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_fill_secrets_reads_the_environment_where_there_is_no_file(
    generated: Path, tmp_path: Path
) -> None:
    source = generated / "retail/alertmanager.yaml"
    files = tmp_path / "files"
    (files / "shop").mkdir(parents=True)
    (files / "shop/slack").write_text("https://from.file.example/")
    environment = {
        "SLO_SECRET_shop__slack": "https://not.this.example/",
        "SLO_SECRET_shop__pagerduty": "key",
        "SLO_SECRET_warehouse__hook": "hook",
    }
    done = run(source, "--files", files, "--prefix", PREFIX, env=environment)
    assert done.exit_code == 0, done.stderr
    assert fields(done.stdout) == {
        "api_url": "https://from.file.example/",
        "routing_key": "key",
        "api_key": "hook",
    }


def test_fill_secrets_names_all_that_are_missing_in_one_run(
    generated: Path, tmp_path: Path
) -> None:
    env = {"SLO_SECRET_shop__slack": "SECRET"}
    done = run(generated, "--prefix", f"{PREFIX}/", "-o", tmp_path / "out", env=env)
    assert done.exit_code == 1
    assert done.stderr.count("error[missing-secret]") == 2
    assert f"no secret for {PREFIX}/shop/pagerduty: it is not there" in done.stderr
    assert "= put it into $SLO_SECRET_shop__pagerduty" in done.stderr
    assert "= put it into $SLO_SECRET_warehouse__hook" in done.stderr
    assert "SECRET\n" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"SECRET\nSECRET\n", "it has several lines"),
        (b"SECRET\x00", "it holds control characters"),
        (b"SECRET\xff", "it is not UTF-8"),
        (b"SECRET" * 20_000, "it is larger than 65,536 bytes"),
    ],
)
def test_fill_secrets_refuses_what_is_no_secret_without_showing_it(
    content: bytes, reason: str, generated: Path, secrets: Path
) -> None:
    (secrets / "etc/alertmanager/secrets/shop/slack").write_bytes(content)
    done = run(generated / "retail/alertmanager.yaml", "--files", secrets)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"no secret for {PREFIX}/shop/slack: {reason}" in done.stderr
    assert "SECRET" not in done.stderr.replace("SLO_SECRET", "")


def test_fill_secrets_refuses_a_folder_in_the_place_of_a_secret(
    generated: Path, secrets: Path
) -> None:
    path = secrets / "etc/alertmanager/secrets/shop/slack"
    path.unlink()
    path.mkdir()
    done = run(generated / "retail/alertmanager.yaml", "--files", secrets)
    assert done.exit_code == 1
    assert "it cannot be read: Is a directory" in done.stderr


def test_fill_secrets_with_another_prefix_is_refused(generated: Path) -> None:
    done = run(generated / "retail/alertmanager.yaml", "--prefix", "/run/secrets")
    assert done.exit_code == 1
    assert "its path does not begin with /run/secrets/" in done.stderr


def test_fill_secrets_for_the_api_contains_the_configuration_as_text(
    generated: Path, secrets: Path
) -> None:
    done = run(generated / "retail/alertmanager.yaml", "--files", secrets, "--api")
    body = yaml.safe_load(done.stdout)
    assert body["template_files"] == {}
    assert fields(body["alertmanager_config"])["api_key"] == SECRETS[f"{PREFIX}/warehouse/hook"]


@pytest.mark.parametrize("mark", [".git", "slo-compiler.yaml", "slo-compiler.lock.json"])
def test_fill_secrets_never_writes_into_a_source_tree(
    mark: str, generated: Path, secrets: Path, tmp_path: Path
) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / mark).touch()
    (tmp_path / "link").symlink_to(repo)
    for place in (repo, repo / "deep/er", tmp_path / "link/x"):
        done = run(generated, "--files", secrets, "-o", place)
        assert done.exit_code == 2
        assert f"is in a source tree ({repo} has {mark})" in done.stderr
    assert sorted(repo.rglob("*")) == [repo / mark]


def test_fill_secrets_never_writes_among_the_configurations(generated: Path, secrets: Path) -> None:
    for place in (generated, generated / "filled"):
        done = run(generated, "--files", secrets, "-o", place)
        assert done.exit_code == 2
        assert "has the configurations" in done.stderr


@pytest.mark.processes
def test_fill_secrets_redirected_into_a_source_tree_is_refused(
    generated: Path, secrets: Path, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    command = [sys.executable, "-m", "slo_compiler.cli", "fill-secrets"]
    command += [str(generated / "retail/alertmanager.yaml"), "--files", str(secrets)]
    with (tmp_path / "out.yaml").open("w") as file:
        done = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
        )
    assert done.returncode == 2
    assert "is in a source tree" in done.stderr
    assert (tmp_path / "out.yaml").read_text() == ""


def test_fill_secrets_of_several_configurations_needs_a_folder(generated: Path) -> None:
    done = run(generated)
    assert done.exit_code == 2
    assert "there are 2 configurations: name a folder with -o" in done.stderr


def test_fill_secrets_of_two_files_of_one_name_is_refused(generated: Path, tmp_path: Path) -> None:
    both = [generated / org / "alertmanager.yaml" for org in ("retail", "status")]
    done = run(*both, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "would be the same file" in done.stderr


def test_fill_secrets_of_a_folder_without_configurations_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "has no alertmanager.yaml" in done.stderr


def test_fill_secrets_fills_global_and_nested_settings_and_no_texts(tmp_path: Path) -> None:
    """What a message shows is text, also where its key ends in _file."""
    path = tmp_path / "config.yaml"
    path.write_text(
        """\
global: {smtp_auth_password_file: /s/smtp}
route: {receiver: a, url_file: /s/none}
receivers:
  - name: a
    webhook_configs:
      - url: "http://a.example/api_url_file"
        http_config: &http
          basic_auth: {username: u, password_file: /s/basic}
          tls_config: {ca_file: /s/ca}
      - {url: "http://b.example/", http_config: *http}
    pagerduty_configs:
      - {routing_key_file: /s/key, details: {log_file: /s/none}}
    email_configs:
      - {to: a@a.example, headers: {Some_file: /s/none}}
""",
        encoding="utf-8",
    )
    names = ("smtp", "basic", "key")
    env = {f"SLO_SECRET___s__{name}": f"secret-{name}" for name in names}
    done = run(path, env={**env, "SLO_SECRET___s__ca": "line 1\nline 2"})
    assert done.exit_code == 0, done.stderr
    config = yaml.safe_load(done.stdout)
    (receiver,) = config["receivers"]
    first, second = receiver["webhook_configs"]
    assert config["global"] == {"smtp_auth_password": "secret-smtp"}
    assert config["route"]["url_file"] == "/s/none"
    assert first["url"] == "http://a.example/api_url_file"
    assert first["http_config"] == second["http_config"]
    assert first["http_config"]["basic_auth"] == {"username": "u", "password": "secret-basic"}
    assert first["http_config"]["tls_config"] == {"ca": "line 1\nline 2"}
    (page,), (mail,) = receiver["pagerduty_configs"], receiver["email_configs"]
    assert page == {"routing_key": "secret-key", "details": {"log_file": "/s/none"}}
    assert mail["headers"] == {"Some_file": "/s/none"}


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("a: [", "yaml-syntax"),
        ("- a", "type"),
        ("", "type"),
        ("kind: Secret", "type"),
        ("receivers: &a [*a]", ""),
    ],
)
def test_fill_secrets_of_what_is_no_configuration_ends_without_a_traceback(
    text: str, id_: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    done = run(path)
    assert done.exit_code == (1 if id_ else 0)
    assert f"error[{id_}]" in done.stderr or not id_
    assert isinstance(done.exception, SystemExit | None)


def test_fill_secrets_of_a_path_that_leads_out_of_the_folder_is_refused(
    tmp_path: Path, secrets: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("receivers: [{slack_configs: [{api_url_file: /../../x}]}]", encoding="utf-8")
    done = run(path, "--files", secrets)
    assert done.exit_code == 1
    assert "its path has .." in done.stderr


@given(st.text(), st.text())
def test_variables_of_two_paths_differ(one: str, other: str) -> None:
    """Or one tenant's secret could be put in the place of another's."""
    assert (variable(one) == variable(other)) == (one == other)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("customer-b/slack", "SLO_SECRET_customer_2Db__slack"),
        ("a_b/c", "SLO_SECRET_a_5Fb__c"),
        ("/s/é.key", "SLO_SECRET___s___C3_A9_2Ekey"),
    ],
)
def test_variable_of_a_path_is_a_name_of_the_shell(path: str, name: str) -> None:
    assert variable(path) == name
