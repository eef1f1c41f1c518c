"""The command line as a person meets it: real processes, real DSPy."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from integration.lm_server import serving
from integration.shell import BOUND, on_a_terminal, pybridge

CALLS = (
    "dspy.configure_lm", "model=embedded", "then",
    "dspy.create_program", "id=qa", "signature=question -> answer", "then",
    "dspy.execute_program", "program_id=qa", 'inputs={"question": "Why?"}',
)  # fmt: skip


@pytest.mark.capability("B07")
def test_demo_runs_dspy_and_shows_steps_times_and_frames() -> None:
    ran = pybridge("demo")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    steps = [line for line in lines if line.startswith(("find", "start", "configure", "create", "execute", "stream"))]
    assert len(steps) == 6
    assert any("answer: The embedded model only echoes question: Why do bridges have arches?" in line for line in steps)
    frames = [line for line in lines if line.startswith(("→ 00 00 ", "← 00 00 "))]
    assert any('"command":"dspy.execute_program"' in line and '"stream":true' in line for line in frames)
    assert any('"chunk":{"chunk_id":0,' in line for line in frames)
    assert "importing dspy" in ran.err


def test_demo_shows_frames_whose_length_is_right() -> None:
    ran = pybridge("demo", "--question", "Ω?")
    asked = [line for line in ran.out.splitlines() if line.startswith("→")]
    for line in asked:
        size, text = bytes.fromhex(line[2:13].replace(" ", "")), line[14:]
        assert int.from_bytes(size, "big") == len(text.encode())
        assert json.loads(text)["command"]


def test_demo_uses_the_model_it_is_told_to() -> None:
    with serving() as server:
        environment = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": server.base_url, "OPENAI_API_BASE": server.base_url}
        ran = pybridge("demo", "--model", "openai/local", environment=environment)
    assert ran.code == 0, ran.err
    assert "answer: local says: Why do bridges have arches?" in ran.out
    assert [body["model"] for body in server.requests] == ["local", "local"]


def test_demo_of_a_model_that_does_not_exist_says_so_in_one_line() -> None:
    ran = pybridge("demo", "--model", "nonsense")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("error: ")
    assert "[INVALID_ARGUMENTS]" in ran.err
    assert "Traceback" not in ran.err


def test_debug_shows_the_traceback() -> None:
    ran = pybridge("--debug", "demo", "--model", "nonsense")
    assert ran.code == 1
    assert "Traceback" in ran.err


def test_a_terminal_gets_a_drawn_table_and_a_pipe_gets_plain_text() -> None:
    drawn = on_a_terminal("plugins")
    plain = pybridge("plugins")
    assert drawn.code == plain.code == 0
    assert "│" in drawn.out
    assert "│" not in plain.out
    assert "bridge_dspy.plugin" in plain.out


def test_call_runs_steps_joined_by_then_in_one_session() -> None:
    ran = pybridge("call", *CALLS, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["outputs"] == {"answer": "The embedded model only echoes question: Why?"}


def test_call_prints_chunks_as_they_come_and_then_the_result() -> None:
    ran = pybridge("call", *CALLS, "--json", "--stream")
    *chunks, result = [json.loads(line) for line in ran.out.splitlines()]
    assert "".join(chunk["text"] for chunk in chunks) == result["outputs"]["answer"]
    assert len(chunks) > 3


def test_call_reaches_the_workers_own_operations() -> None:
    assert json.loads(pybridge("call", "ping", "--json").out)["status"] == "ok"


def test_call_reaches_any_library_that_its_configuration_allows(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[policy]\nallow = ["decimal", "json"]\n')
    words = ["call", "target=decimal.Decimal", 'args=["2.5"]', "store_as=half", "then", "call", "target=json.dumps"]
    words += ['args=[{"$value": {"$ref": "half"}}]', "--json", "--config", str(file)]
    ran = pybridge("call", *words)
    assert json.loads(ran.out)["result"] == '{"$ref": "half"}', ran.err
    words[7] = 'args=[{"$ref": "half"}]'
    refused = pybridge("call", *words[:6], "target=decimal.Decimal", *words[7:])
    assert json.loads(refused.out)["result"] == {"$type": "decimal", "value": "2.5"}, refused.err
    denied = pybridge("call", "call", "target=os.getpid", "--config", str(file))
    assert (denied.code, "[TARGET_NOT_ALLOWED]" in denied.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["call", "dspy.nothing"], 1, "[UNKNOWN_OPERATION]"),
        (["call", "nobody.nothing"], 1, "[FRAMEWORK_NOT_FOUND]"),
        (["call", "dspy.create_program", "signature=no arrow"], 1, "[INVALID_ARGUMENTS]"),
        (["call", "dspy.create_program", "signature"], 2, "key=value"),
        (["call", "ping", "then"], 2, "then"),
        (["call"], 2, "Usage"),
        (["nonsense"], 2, "nonsense"),
        (["describe", "dspy.nothing"], 1, "[UNKNOWN_OPERATION]"),
    ],
)
def test_what_goes_wrong_is_a_readable_message_and_an_exit_code(words: list[str], code: int, reason: str) -> None:
    ran = pybridge(*words)
    assert ran.code == code
    assert reason in ran.err
    assert ran.err.count("error:") + ran.err.count("Error:") <= 1
    assert "Traceback" not in ran.err


@pytest.mark.capability("C12")
def test_describe_lists_operations_and_shows_arguments_and_schema() -> None:
    assert "dspy.execute_program" in pybridge("describe", "dspy").out
    assert "chain_of_thought" in pybridge("describe", "dspy.create_program").out
    assert "takes no arguments" in pybridge("describe", "dspy.list_programs").out
    described = json.loads(pybridge("describe", "dspy.get_program", "--json").out)
    assert described["arguments"]["required"] == ["program_id"]


@pytest.mark.capability("E15")
def test_plugins_lists_metadata_and_checks_in_a_process_of_its_own() -> None:
    listed = {one["name"]: one["target"] for one in json.loads(pybridge("plugins", "--json").out)}
    assert listed["dspy"] == "bridge_dspy.plugin"
    ran = pybridge("plugins", "--check", "--json")
    assert ran.code == 0
    assert {one["name"]: one["state"] for one in json.loads(ran.out)} == dict.fromkeys(listed, "loads")


def test_a_blocked_plugin_is_a_finding_and_the_exit_code_says_so() -> None:
    blocked = {"BRIDGE_DISABLED_PLUGINS": "dspy"}
    checked = pybridge("plugins", "--check", environment=blocked)
    assert checked.code == 1
    assert "block list" in checked.out
    looked = pybridge("doctor", "--json", environment=blocked)
    assert looked.code == 1
    assert "plugin dspy" in [one["what"] for one in json.loads(looked.out) if one["state"] == "broken"]


def test_a_plugin_that_is_kept_out_is_said_once_and_by_the_worker() -> None:
    ran = pybridge("call", "dspy.list_programs", environment={"BRIDGE_DISABLED_PLUGINS": "dspy"})
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("pybridge worker: no plugin serves the framework 'dspy'")


def test_a_plugins_own_error_keeps_its_reason() -> None:
    with serving() as server:
        model = ["model=openai/status-401", f"api_base={server.base_url}", "api_key=none"]
        ran = pybridge("call", "dspy.configure_lm", *model, "then", *CALLS[3:])
    assert ran.code == 1
    assert "[DSPY_LM_AUTH]" in ran.err


def test_a_file_in_the_current_folder_does_not_become_part_of_the_worker(tmp_path: Path) -> None:
    (tmp_path / "logging.py").write_text("raise SystemExit('not the standard library')")
    command = [Path(sys.executable).with_name("pybridge"), "call", "ping", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=BOUND, check=False)
    if sys.version_info >= (3, 11):
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1  # Python 3.10 has no such switch: documented


def test_doctor_finds_nothing_wrong_here_but_that_there_is_no_torch() -> None:
    looked = json.loads(pybridge("doctor", "--json").out)
    assert "plugin dspy" in [one["what"] for one in looked]
    assert [one["what"] for one in looked if one["state"] != "ok"] == ["framework transformers"]


HALF = """
from bridge_core import FrameworkInfo, hookimpl

BRIDGE_HOOK_API = 1

@hookimpl
def bridge_framework_info():
    needs = {"imports": ("json", "no_such_module_anywhere.part"), "required_packages": ("half[all]",)}
    return FrameworkInfo(name="half", distribution="half", version="1", **needs)

@hookimpl
def bridge_register_handlers(register):
    pass
"""


def test_doctor_says_what_an_installed_framework_lacks_and_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(HALF)
    metadata = tmp_path / "half-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: half\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[bridge.plugins]\nhalf = half\n")
    looked = pybridge("doctor", "--json", environment={"PYTHONPATH": str(tmp_path)})
    assert looked.code == 1
    (found,) = [one for one in json.loads(looked.out) if one["what"] == "framework half"]
    assert (found["state"], found["remedy"]) == ("broken", "pip install 'half[all]'")
    assert "no_such_module_anywhere" in found["finding"]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "plain words", "[1,"])
def test_value_that_is_not_json_is_text(text: str) -> None:
    ran = pybridge("call", "dspy.create_program", f"signature={text}")
    assert f"got {text!r}" in ran.err


@pytest.mark.parametrize("seconds", ["inf", "nan", "0", "-1"])
def test_timeout_that_is_no_time_is_wrong_use(seconds: str) -> None:
    assert pybridge("call", "ping", "--timeout", seconds).code == 2


def test_timeout_that_passes_ends_the_command() -> None:
    ran = pybridge("call", "dspy.configure_lm", "model=embedded", "--timeout", "0.001")
    assert ran.code == 1
    assert "[CALL_TIMEOUT]" in ran.err


@pytest.mark.parametrize("words", [["worker"], ["--debug", "worker"]], ids=" ".join)
def test_worker_serves_or_says_why_not_wherever_debug_stands(words: list[str]) -> None:
    served = pybridge(*words, "--framework", "dspy")
    assert (served.code, served.out) == (0, "")
    refused = pybridge(*words, "--framework", "nobody")
    assert refused.code == 1
    assert refused.err.splitlines()[-1].startswith("pybridge worker: no plugin serves the framework 'nobody'")


def test_output_that_cannot_show_a_character_shows_its_number() -> None:
    ran = pybridge("demo", "--question", "Ω?", environment={"PYTHONIOENCODING": "latin-1"})
    assert ran.code == 0
    assert "\\u03a9?" in ran.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("call ping --json >&-", "error: standard output is closed"),
        ("worker <&-", "pybridge worker: standard input and output must both be open"),
        ("worker >&-", "pybridge worker: standard input and output must both be open"),
    ],
)
def test_closed_standard_stream_is_one_readable_message(command: str, message: str) -> None:
    whole = f"exec {sys.executable} -m bridge_core {command}"
    done = subprocess.run(["sh", "-c", whole], capture_output=True, text=True, timeout=BOUND, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


def test_version_and_help_answer_at_once() -> None:
    assert pybridge("--version").out.startswith("pybridge, version ")
    assert "Exit codes" in pybridge("--help").out
    assert "--framework" in pybridge("worker", "--help").out
    assert pybridge("worker", "-h").out == pybridge("worker", "--help").out


def test_an_interrupt_ends_the_command_and_its_worker() -> None:
    command = [sys.executable, "-m", "bridge_core", "call", "dspy.configure_lm", "model=embedded"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "importing dspy" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=BOUND)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "interrupted"
