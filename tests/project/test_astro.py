"""The files of the Astro CLI have only keys that it reads, and pin the images that they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONNECTION = {f"conn_{each}" for each in "id type host schema login password port extra".split()}
FILES = """
Dockerfile packages.txt requirements.txt airflow_settings.yaml .dockerignore .env.example
.astro/dag_integrity_exceptions.txt .astro/test_dag_integrity_default.py .astro/pytest.ini
""".split()
CLI_SERVICES = {
    "postgres",
    "scheduler",
    "dag-processor",
    "api-server",
    "triggerer",
    "db-migration",
}


def read(name: str):
    """Reads a YAML file of the project."""
    return yaml.safe_load((ROOT / name).read_text())


SERVICES = read("docker-compose.override.yml")["services"]
SETTINGS = read("airflow_settings.yaml")["airflow"]


def test_the_image_is_one_pinned_runtime_with_a_python_for_astro_sdk():
    """For the default Python of Runtime there are no wheels of the pandas that astro-sdk needs."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")
    ]
    assert len(lines) == 1
    assert re.fullmatch(
        r"FROM astrocrpublic\.azurecr\.io/runtime:3\.3-\d+-python-3\.1[12]", lines[0]
    )


def test_the_image_installs_no_local_path():
    """The image installs requirements.txt before it copies the project."""
    text = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"^\s*(-|\.|/|file:)", text, re.MULTILINE)


def test_the_settings_have_only_the_keys_that_the_cli_reads():
    assert set(SETTINGS) == {"connections", "pools", "variables"}
    assert all(set(each) <= CONNECTION for each in SETTINGS["connections"])


def test_keys_of_an_extra_are_lower_case_as_the_cli_writes_them():
    extras = [key for each in SETTINGS["connections"] for key in each.get("conn_extra", {})]
    assert extras == [key.lower() for key in extras]


def test_the_two_connections_reach_the_services_of_the_compose_file():
    landing, warehouse = SETTINGS["connections"]
    assert (landing["conn_id"], warehouse["conn_id"]) == ("landing", "warehouse")
    store, database = SERVICES["object-store"]["environment"], SERVICES["warehouse"]["environment"]
    assert landing["conn_extra"]["endpoint_url"] == "http://object-store:9000"
    assert landing["conn_login"] == store["MINIO_ROOT_USER"]
    assert landing["conn_password"] == store["MINIO_ROOT_PASSWORD"]
    assert warehouse["conn_host"] == "warehouse"
    assert warehouse["conn_schema"] == database["POSTGRES_DB"]
    assert warehouse["conn_login"] == database["POSTGRES_USER"]
    assert warehouse["conn_password"] == database["POSTGRES_PASSWORD"]


def test_the_only_committed_password_is_not_a_real_one():
    """Users of the CLI put real passwords into airflow_settings.yaml. This file is in git."""
    assert {each["conn_password"] for each in SETTINGS["connections"]} == {"landfall-local-only"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_a_pinned_image_that_airflow_can_reach(name):
    service = SERVICES[name]
    assert service["networks"] == ["airflow"]
    assert "build" not in service, "the CLI does not build it"
    assert re.search(r":[\w.-]*\d[\w.-]*$", service["image"])
    assert not service["image"].endswith(":latest")
    assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_on_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_no_port_is_used_twice_or_by_airflow():
    ports = [port.split(":")[1] for each in SERVICES.values() for port in each["ports"]]
    assert len(set(ports)) == len(ports)
    assert not {"5432", "8080"} & set(ports)


def test_no_service_replaces_one_of_the_cli():
    assert not CLI_SERVICES & set(SERVICES)


def test_the_cli_knows_the_projects_name():
    assert read(".astro/config.yaml")["project"] == {"name": "landfall"}


def test_airflow_s_own_database_is_a_postgresql_that_airflow_supports():
    """The CLI's default is 12.6. Its compose file fits images up to 17: 18 moved the data."""
    database = read(".astro/config.yaml")["postgres"]
    assert f"{database['repository']}:{database['tag']}" == SERVICES["warehouse"]["image"]
    assert 14 <= int(database["tag"].split(".")[0]) <= 17


def test_a_file_that_git_ignores_stays_out_of_the_image_too():
    """`.astro/standalone` has a metadata database with connections in it."""
    ignored, left_out = (
        {line.strip("/").removeprefix("**/") for line in (ROOT / name).read_text().splitlines()}
        for name in (".gitignore", ".dockerignore")
    )
    assert ".astro/standalone" in ignored
    assert {line for line in ignored if line and line[0] != "#"} - left_out == set()


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_the_cli_needs_exists(name):
    assert (ROOT / name).is_file()


# Git ignores .env in every folder, Docker only where the line says so.
@pytest.mark.parametrize("name", ["**/.env", "**/.env.*", ".venv", ".local", ".git"])
def test_secrets_and_generated_files_stay_out_of_the_image(name):
    assert name in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize(
    "name",
    "dags include plugins tests docs .astro pyproject.toml requirements-dev.txt".split(),
)
def test_files_that_the_tests_read_are_in_the_image(name):
    """`astro dev pytest` runs the tests in the image."""
    assert name not in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_example_environment_holds_no_secret_and_no_setting_of_airflow():
    """`astro dev start` reads .env too, and must not get the settings of the Celery stack."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    assert all(name.startswith("LANDFALL_") for name, _ in pairs)
    assert all(value == "" or name.endswith("_PORT") for name, value in pairs)


# What `astro … --help` of the versions 1.41 and 1.45 lists, and of 2 for `local`, as far as a page
# or a script of the project types it.
ACCEPTED = {
    "dev start": {"--standalone", "--wait"},
    "dev restart": {"--standalone", "--wait"},
    "dev parse": {"--standalone"},
    "dev pytest": {"--standalone", "--args"},
    "dev stop": {"--standalone"},
    "dev kill": {"--standalone"},
    "deploy": set(),
    "init": set(),
    "local check": set(),
    "local start": {"--docker"},
}
COMMAND = re.compile(r"\bastro ((?:dev|local) [a-z-]+|deploy\b|init\b)((?: [^`\n#;&|()]*)?)")
TYPED_IN = ["*.md", "docs/*.md", ".github/workflows/*.yml", ".ci/*", ".env.example", "*.yml"]


def test_every_command_of_the_cli_that_the_project_types_is_one_of_the_cli():
    texts = [path.read_text() for name in TYPED_IN for path in ROOT.glob(name) if path.is_file()]
    typed = [match for text in texts for match in COMMAND.findall(text)]
    assert {command for command, _ in typed} == set(ACCEPTED)
    for command, rest in typed:
        flags = set(re.findall(r"(?<!\S)--[a-z-]+", rest))
        assert flags <= ACCEPTED[command], f"astro {command} {rest}"
