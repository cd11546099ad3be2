"""What the compose files need from each image, pulled or a stand-in from tests/images."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.container_servers import STAND_IN, pinned_images
from tests.support.docker_cli import docker, run_once, running_container, succeeds, wait_for

pytestmark = pytest.mark.timeout(300)  # a slow machine starts containers slowly
ROOT = Path(__file__).parents[2]
IMAGES = pinned_images()
AIRFLOW = IMAGES["airflow"]
LOCKED = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements-dev.txt").read_text(), re.M))
SECRET = "it's a secret"  # a shell or an SQL text that does not quote it breaks


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_exists_and_a_stand_in_says_that_it_is_one(service):
    (image,) = json.loads(docker("image", "inspect", IMAGES[service]))
    assert image["RepoDigests"] or image["Config"]["Labels"].get(STAND_IN)


def pid_1_user(name: str) -> str:
    """Reads which user runs the container's first process."""
    (line,) = [
        line for line in docker("exec", name, "cat", "/proc/1/status").splitlines()
        if line.startswith("Uid:")
    ]  # fmt: skip
    return line.split()[1]


@pytest.fixture
def postgres(tmp_path):
    """A server with every setting that the compose files and the tests use."""
    tmp_path.chmod(0o755)
    (tmp_path / "1.sql").write_text("CREATE TABLE made (n int);")
    (tmp_path / "2.sh").write_text('psql -U "$POSTGRES_USER" -c "INSERT INTO made VALUES (2)"\n')
    settings = {
        "POSTGRES_USER": "landfall",
        "POSTGRES_PASSWORD": SECRET,
        "POSTGRES_DB": "landfall",
        "POSTGRES_INITDB_ARGS": "--data-checksums --locale=C",
    }
    folder = f"--volume={tmp_path}:/docker-entrypoint-initdb.d:ro"
    image = IMAGES["postgres"]
    with running_container(image, "-c", "fsync=off", options=(folder,), **settings) as name:
        wait_for(lambda: succeeds(name, "pg_isready", "--host=127.0.0.1"), name)
        yield name


def query(name: str, statement: str, password: str = SECRET, check: bool = True) -> str:
    """Queries a server over the network, as other containers do."""
    script = 'psql -h "$(hostname -i)" -U landfall -d landfall -Atc "$0"'
    return docker(
        "exec", f"--env=PGPASSWORD={password}", name, "sh", "-c", script, statement, check=check
    )


def test_postgres_follows_its_variables_and_arguments(postgres):
    assert query(postgres, "SHOW data_checksums") == "on"
    assert query(postgres, "SHOW fsync") == "off"
    collation = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
    assert query(postgres, collation) == "C"
    assert query(postgres, "SELECT n FROM made") == "2"
    assert "password authentication failed" in query(postgres, "SELECT 1", "wrong", check=False)
    assert pid_1_user(postgres) != "0"


def test_postgres_keeps_its_data_in_its_volume(postgres):
    query(postgres, "INSERT INTO made VALUES (3)")
    docker("restart", postgres)
    wait_for(lambda: succeeds(postgres, "pg_isready", "--host=127.0.0.1"), postgres)
    assert query(postgres, "SELECT count(*) FROM made") == "2"
    mounts = docker("inspect", "--format={{json .Mounts}}", postgres)
    assert "/var/lib/postgresql/data" in {each["Destination"] for each in json.loads(mounts)}


def test_postgres_without_a_password_is_refused():
    output = docker("run", "--rm", IMAGES["postgres"], "postgres", "-c", "fsync=off", check=False)
    assert "POSTGRES_PASSWORD" in output


def test_redis_requires_its_password_and_keeps_its_data():
    command = ("redis-server", "--requirepass", "secret", "--appendonly", "yes")
    with running_container(IMAGES["redis"], *command) as name:
        redis_cli = ("exec", "--env=REDISCLI_AUTH=secret", name, "redis-cli")
        wait_for(lambda: docker(*redis_cli, "ping", check=False) == "PONG", name)
        assert "NOAUTH" in docker("exec", name, "redis-cli", "ping", check=False)
        docker(*redis_cli, "set", "accepted", "1")
        docker("kill", name)
        docker("start", name)
        wait_for(lambda: docker(*redis_cli, "get", "accepted", check=False) == "1", name)
        assert pid_1_user(name) != "0"
        # Protected mode would refuse another container.
        address = docker("exec", name, "hostname", "-i")
        ping = ("redis-cli", "-h", address, "ping")
        assert run_once(IMAGES["redis"], *ping, REDISCLI_AUTH="secret") == "PONG"


def test_minio_answers_the_health_check_of_the_compose_files():
    settings = {"MINIO_ROOT_USER": "landfall", "MINIO_ROOT_PASSWORD": "landfall-local-only"}
    command = ("server", "/data", "--console-address", ":9001")
    with running_container(IMAGES["minio"], *command, **settings) as name:
        health = ("curl", "-fs", "http://127.0.0.1:9000/minio/health/live")
        wait_for(lambda: succeeds(name, *health), name)
        wait_for(lambda: succeeds(name, "curl", "-fs", "http://127.0.0.1:9001"), name)
        assert docker("exec", name, "minio", "--version").startswith("minio version")


def test_seaweedfs_takes_the_commands_of_weed():
    assert "4.48" in run_once(IMAGES["seaweedfs"], "version")
    with running_container(IMAGES["seaweedfs"], "mini", "-dir=/data") as name:
        health = ("wget", "-q", "-O", "-", "http://127.0.0.1:8333/healthz")
        wait_for(lambda: succeeds(name, *health), name)


def test_python_has_its_usual_names():
    script = "python --version && python3 --version && pip --version"
    output = run_once(IMAGES["python"], "sh", "-c", script)
    assert re.findall(r"3\.\d+", output)[0] == "3.11"


@pytest.mark.parametrize(
    "command", [("version",), ("airflow", "version"), ("bash", "-c", "airflow version")]
)
def test_airflow_takes_its_commands_with_or_without_its_name(command):
    output = run_once(AIRFLOW, *command, CONNECTION_CHECK_MAX_COUNT="0")
    assert output.splitlines()[-1] == LOCKED["apache-airflow"]


def test_airflow_is_a_plain_user_whose_folders_are_its_own():
    script = (
        "id -u; id -g; echo $AIRFLOW_HOME $AIRFLOW_VERSION; cat /proc/1/comm; "
        "touch $AIRFLOW_HOME/logs/a $AIRFLOW_HOME/dags/a $AIRFLOW_HOME/plugins/a; "
        "which curl pip uv | wc -l"
    )
    output = run_once(AIRFLOW, "bash", "-c", script, CONNECTION_CHECK_MAX_COUNT="0")
    home = f"/opt/airflow {LOCKED['apache-airflow']}"
    assert output.splitlines() == ["50000", "0", home, "dumb-init", "3"]


def test_airflow_has_the_providers_of_the_lock():
    """When a stand-in is of an older lock, remove it and run `make docker`."""
    (image,) = json.loads(docker("image", "inspect", AIRFLOW))
    names = [name for name in LOCKED if name.startswith("apache-airflow-providers-")]
    script = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    output = run_once(AIRFLOW, "python", "-c", script, *names, CONNECTION_CHECK_MAX_COUNT="0")
    # The official image has its own versions; an image built on it installs the project's.
    if STAND_IN in image["Config"]["Labels"]:
        assert output.split() == [LOCKED[name] for name in names]


def test_airflow_migrates_its_database_when_asked():
    """Without settings the database is a file."""
    output = run_once(AIRFLOW, "db", "check-migrations", _AIRFLOW_DB_MIGRATE="true")
    assert "Database migration done" in output


def test_airflow_gives_up_when_no_database_answers():
    with running_container(
        AIRFLOW, "version",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg2://nobody@127.0.0.1:1/none",
        CONNECTION_CHECK_MAX_COUNT="1", CONNECTION_CHECK_SLEEP_TIME="0",
    ) as name:  # fmt: skip
        assert docker("wait", name) == "1"
        assert "Maximum number of retries" in docker("logs", name)


def test_an_image_on_top_of_airflow_installs_packages_as_its_user(tmp_path):
    """As include/local/celery does, here with one small package."""
    (tmp_path / "Dockerfile").write_text(
        f"FROM {AIRFLOW}\n"
        'RUN pip install --no-cache-dir "apache-airflow==${AIRFLOW_VERSION}" iniconfig==2.0.0\n'
    )
    tag = "landfall-test-images:extended"
    docker("build", "--tag", tag, str(tmp_path))
    try:
        script = "import iniconfig; print(iniconfig.__file__)"
        output = run_once(tag, "python", "-c", script, CONNECTION_CHECK_MAX_COUNT="0")
        assert output.startswith("/home/airflow/.local/")
    finally:
        docker("image", "rm", tag)
