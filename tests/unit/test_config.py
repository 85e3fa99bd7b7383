"""Settings: where a value comes from, what is refused, and that every fault is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.config import SETTINGS, Config, here
from runyard.model.errors import ConfigError, Fault
from runyard.model.settings import Machine
from runyard.setting_sources import INSIDE_PREFIX, PREFIX

MACHINE = Machine(cores=2, memory_bytes=4 * 1024**3, home="/home/ada")


def load(**environ: str) -> Config:
    return Config.load({PREFIX + name: value for name, value in environ.items()}, MACHINE)


def faults_of(environ: dict[str, str]) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        Config.load(environ, MACHINE)
    return caught.value.faults


def file_with(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "settings.toml"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_defaults() -> None:
    config = load()
    assert config.state_folder == Path("/home/ada/.local/state/runyard")
    assert (config.host, config.port, config.environment) == ("127.0.0.1", 8327, "local")
    assert config.regions == ("us-central1", "europe-west1")
    assert config.default_region == "us-central1"
    assert (config.region_vcpu, config.region_memory_bytes) == (8, 4 * 1024**3)
    assert config.log_bytes_max == 64 * 1024**2
    assert config.run_retention_seconds == 30 * 86_400
    assert {row.source for row in config.rows()} == {"default"}


def test_this_machine_has_defaults_too() -> None:
    assert Config.load({}, here()).region_vcpu >= 4
    assert here(2**31 - 7).home == ""  # a container may run as a user that nobody knows


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/h"}, "/h/.local/state/runyard"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/runyard"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/runyard"),
        ({"HOME": "", "XDG_STATE_HOME": ""}, "/home/ada/.local/state/runyard"),
        ({"HOME": "/h", "RUNYARD_STATE_FOLDER": "~/state"}, "/h/state"),
        ({"RUNYARD_STATE_FOLDER": "/srv//state/"}, "/srv/state"),
    ],
)
def test_state_folder(environ: dict[str, str], folder: str) -> None:
    assert Config.load(environ, MACHINE).state_folder == Path(folder)


def test_a_user_without_a_home_must_say_where() -> None:
    homeless = Machine(cores=1, memory_bytes=2**30, home="")
    with pytest.raises(ConfigError) as caught:
        Config.load({}, homeless)
    assert [fault.path for fault in caught.value.faults] == ["state_folder"]
    assert Config.load({"RUNYARD_STATE_FOLDER": "/s"}, homeless).state_folder == Path("/s")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", "0", 0),
        ("LOG_BYTES_MAX", "1048576", 2**20),
        ("LOG_BYTES_MAX", "1Mi", 2**20),
        ("RUN_RETENTION_SECONDS", "90", 90.0),
        ("RUN_RETENTION_SECONDS", "12h", 43_200.0),
        ("SAFETY_POLL_SECONDS", "0.25", 0.25),
        ("REGIONS", "us-east1", ("us-east1",)),
        ("REGIONS", "us-east1, us-west1", ("us-east1", "us-west1")),
        ("PUBLIC_URL", "https://runyard.example.com/x", "https://runyard.example.com/x"),
        ("PUBLIC_URL", "", ""),
        ("GOOGLE_RUN_ENDPOINT", "https://run.example.com", "https://run.example.com"),
        ("GOOGLE_RUN_ENDPOINT", "http://[::1]:9000", "http://[::1]:9000"),
        ("GOOGLE_RUN_ENDPOINT", "", ""),
        ("LOG_LEVEL", "debug", "debug"),
        ("TOKEN", "abc", "abc"),
        ("OIDC_ISSUERS", "", ()),
        (
            "OIDC_ISSUERS",
            "https://accounts.google.com, http://127.0.0.1:9000/x",
            ("https://accounts.google.com", "http://127.0.0.1:9000/x"),
        ),
        ("OIDC_AUDIENCES", "one,two", ("one", "two")),
        ("OIDC_ROLES", "@example.com=viewer", "@example.com=viewer"),
    ],
)
def test_the_environment_is_read(name: str, text: str, value: object) -> None:
    config = load(**{name: text})
    assert getattr(config, name.lower()) == value
    assert config.sources == {name.lower(): "environment"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("PORT", ""),
        ("PORT", "٣"),
        ("LOG_BYTES_MAX", "1"),
        ("LOG_BYTES_MAX", "64 MB"),
        ("RUN_RETENTION_SECONDS", "59"),
        ("RUN_RETENTION_SECONDS", "soon"),
        ("RUN_RETENTION_SECONDS", "nan"),
        ("REGIONS", ""),
        ("REGIONS", "a,a"),
        ("REGIONS", "US-East1"),
        ("STATE_FOLDER", "state"),
        ("STATE_FOLDER", "/a/../b"),
        ("STATE_FOLDER", "/a\x00b"),
        ("STATE_FOLDER", "~bob/x"),
        ("ENVIRONMENT", "Prod"),
        ("PUBLIC_URL", "ftp://x"),
        ("GOOGLE_RUN_ENDPOINT", "http://run.example.com"),
        ("GOOGLE_RUN_ENDPOINT", "http://127.0.0.1.example.com"),
        ("LOG_LEVEL", "loud"),
        ("HOST", "a b"),
        ("TASK_USER", "root; rm"),
        ("LAUNCH_TRIES_MAX", "0"),
        ("OIDC_ISSUERS", "http://issuer.example.com"),
        ("OIDC_AUDIENCES", "a b"),
        ("OIDC_ROLES", "ann=admin"),
    ],
)
def test_a_wrong_value_names_itself_and_what_was_expected(name: str, text: str) -> None:
    (fault,) = faults_of({PREFIX + name: text})
    assert fault.path == PREFIX + name
    assert fault.value == repr(text)
    assert fault.expected


def test_all_faults_are_told_at_once() -> None:
    faults = faults_of(
        {
            "RUNYARD_PROT": "1",
            "RUNYARD_PORT": "x",
            "RUNYARD_HOST": " ",
            "RUNYARD_CONFIG": "/no/file",
        }
    )
    assert [fault.path for fault in faults] == [
        "RUNYARD_PROT",
        "/no/file",
        "RUNYARD_HOST",
        "RUNYARD_PORT",
    ]


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("RUNYARD_PROT", "did you mean RUNYARD_PORT?"),
        ("RUNYARD_STATE_DIR", "did you mean RUNYARD_STATE_FOLDER?"),
        ("RUNYARD_port", "did you mean RUNYARD_PORT?"),
        ("RUNYARD_QQQQQQQQQQQQQQ", "docs/reference/config.md lists them all"),
    ],
)
def test_an_unknown_variable_fails_with_a_suggestion(variable: str, hint: str) -> None:
    (fault,) = faults_of({variable: "1"})
    assert (fault.path, fault.value, fault.hint) == (variable, "", hint)


def test_what_tasks_are_told_is_no_setting() -> None:
    assert load(INSIDE_ANYTHING="1") == load()
    assert not [name for name in SETTINGS if (PREFIX + name.upper()).startswith(INSIDE_PREFIX)]


def test_a_long_value_is_shortened() -> None:
    (fault,) = faults_of({"RUNYARD_HOST": "x" * 10_000})
    assert len(fault.value) < 100


def test_a_secret_is_shown_nowhere() -> None:
    (fault,) = faults_of({"RUNYARD_TOKEN": "hush hush"})
    assert "hush" not in str(fault)
    config = load(TOKEN="hush-hush")
    assert config.token == "hush-hush"
    assert "hush" not in repr(config) + repr(config.rows())
    assert {row.value for row in config.rows() if row.name == "token"} == {"(hidden)"}


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    path = file_with(
        tmp_path,
        'port = 1\nregions = ["us-east1", "us-west1"]\nlog_bytes_max = "2Mi"\nhost = "h"\n',
    )
    config = load(CONFIG=path, HOST="localhost")
    assert (config.port, config.host, config.log_bytes_max) == (1, "localhost", 2 * 2**20)
    assert config.regions == ("us-east1", "us-west1")
    sources = {row.name: row.source for row in config.rows()}
    assert (sources["port"], sources["host"]) == (f"file {path}", "environment")
    assert sources["log_level"] == "default"


def test_a_file_in_the_state_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = 77\n")
    assert load(STATE_FOLDER=str(tmp_path)).port == 77


def test_a_named_file_may_say_where_the_state_is_and_a_found_one_may_not(tmp_path: Path) -> None:
    path = file_with(tmp_path, 'state_folder = "~/there"\n')
    assert load(CONFIG=path).state_folder == Path("/home/ada/there")
    (tmp_path / "config.toml").write_text('state_folder = "/elsewhere"\n')
    (fault,) = faults_of({"RUNYARD_STATE_FOLDER": str(tmp_path)})
    assert (fault.path, fault.line) == ("state_folder", 1)


def test_faults_in_a_file_name_file_and_line(tmp_path: Path) -> None:
    path = file_with(tmp_path, '# mine\nport = "http"\nprot = 1\nhost = true\n[log_level]\nx = 1\n')
    faults = faults_of({"RUNYARD_CONFIG": path})
    where = [(fault.path, fault.file, fault.line, fault.hint) for fault in faults]
    assert where == [
        ("prot", path, 3, "did you mean port?"),
        ("host", path, 4, ""),
        ("log_level", path, 0, ""),
        ("port", path, 2, ""),
    ]


@pytest.mark.parametrize("content", [b"port = \n", b"\xff\xfe", b"port = 1\nport = 2\n"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    (fault,) = faults_of({"RUNYARD_CONFIG": str(path)})
    assert fault.path == str(path)


def test_a_secret_in_a_file_that_others_can_read(tmp_path: Path) -> None:
    path = file_with(tmp_path, 'token = "hush"\n', mode=0o644)
    (fault,) = faults_of({"RUNYARD_CONFIG": path})
    assert "chmod 600" in fault.hint
    assert "hush" not in str(fault)
    assert load(CONFIG=file_with(tmp_path, 'token = "hush"\n')).token == "hush"


def test_an_endless_path_is_told_as_such() -> None:
    (fault,) = faults_of({"RUNYARD_STATE_FOLDER": "/" + "x" * 5000})
    assert fault.path == "RUNYARD_STATE_FOLDER"


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), st.text(max_size=20)))
def test_any_text_is_read_or_refused_by_name(given_texts: dict[str, str]) -> None:
    environ = {PREFIX + name.upper(): text for name, text in given_texts.items()}
    try:
        accepted, named = set(Config.load(environ, MACHINE).sources), set[str]()
    except ConfigError as error:
        accepted, named = set(), {fault.path for fault in error.faults}
    assert accepted == set(given_texts) if not named else named <= set(environ)
