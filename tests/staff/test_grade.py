"""The grader: every check of the manifest gets a verdict, whatever a module or a test file does."""

import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import coursekit.grading.grade as grading
from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, ROOT


@pytest.fixture
def grade(small_edition):
    def run(*arguments):
        done = small_edition.python("-m", "coursekit", "grade", *arguments)
        path = small_edition.root / "results.json"
        results = json.loads(path.read_text()) if path.exists() else None
        return done, results

    return run


def take_two_seconds(edition):
    """Lower the time limit of a check; a test waits for it."""
    for name, limit, lower in (
        ("results", "CHECK_SECONDS = 10 ", "CHECK_SECONDS = 2 "),
        ("time_limit", "WAITING = 50 ", "WAITING = 6 "),
    ):
        path = edition.root / "coursekit" / "grading" / f"{name}.py"
        assert limit in path.read_text()
        path.write_text(path.read_text().replace(limit, lower))


def lost(results):
    return {t["extra_data"]["id"].split("::")[1]: t["output"] for t in results["tests"] if t["status"] != "passed"}


def test_the_solution_gets_every_point_and_gradescopes_schema(grade):
    done, results = grade()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "(100 %)" in done.stdout
    assert "importing it changes" not in done.stdout
    assert results["score"] == sum(t["max_score"] for t in results["tests"])
    assert isinstance(results["execution_time"], float)
    for test in results["tests"]:
        assert {"score", "max_score", "status", "name", "output", "visibility"} <= test.keys()
        assert (test["status"], test["visibility"]) == ("passed", "visible")


def test_nothing_stays_in_the_folder_for_temporary_files(small_edition, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))

    done = small_edition.python("-m", "coursekit", "grade", "trained_unet")

    assert done.returncode == 0, done.stdout
    assert list(temporary.iterdir()) == []


def test_a_known_mistake_costs_points_and_is_named(grade, small_edition):
    small_edition.edit("return gradient.abs().sum(dim=1)", "return gradient.abs().amax(dim=1)")

    done, results = grade("saliency_map")

    assert done.returncode == 1
    assert {t["name"].split(":")[0] for t in results["tests"]} == {"saliency_map"}
    assert 0 < results["score"] < 8
    assert "hint: You take the maximum over channels" in " ".join(done.stdout.split())


def test_a_condition_of_the_students_own_is_told_with_its_line(grade, small_edition):
    small_edition.edit(
        "return gradient.abs().sum(dim=1)", "assert gradient.ndim == 3\n    return gradient.abs().sum(dim=1)"
    )

    done, results = grade("saliency_map")

    said = " ".join(done.stdout.split())
    assert "a condition does not hold at assignment2/saliency.py, line" in said
    assert ": assert gradient.ndim == 3" in said
    told = lost(results)["test_saliency_of_a_linear_model_is_its_weights"]
    assert "at assignment2/saliency.py, line " in told
    assert "assert gradient.ndim == 3" in told


def test_a_syntax_error_is_told_with_its_line_and_costs_the_part(grade, small_edition):
    small_edition.save("x = 1\n\ndef saliency_map(model, images, labels:\n")

    done, results = grade("1")

    assert done.returncode == 1
    assert results["score"] == 0
    assert set(lost(results).values()) == {"assignment2/saliency.py, line 3: '(' was never closed"}


def test_an_import_that_fails_is_told_and_tried_once(grade, small_edition):
    tried = small_edition.root / "tried"
    small_edition.save(f"open({str(tried)!r}, 'a').write('x')\nimport no_such_library\n")

    _, results = grade("1", "2")

    assert tried.read_text() == "x"
    others = sum(t["max_score"] for t in results["tests"] if PARTS[0].module not in t["extra_data"]["id"])
    assert results["score"] == others > 0, "the other parts lose nothing"
    assert set(lost(results).values()) == {"ModuleNotFoundError: No module named 'no_such_library'"}


GLOBAL = {
    "torch.set_default_dtype(torch.float64)": "torch's default dtype",
    "torch.use_deterministic_algorithms(True)": "torch's deterministic mode",
    "torch.set_grad_enabled(False)": "torch's gradient mode",
    "torch.manual_seed(0)": "torch's random state",
    "import random; random.seed(3)": "Python's random state",
    "import warnings; warnings.simplefilter('error')": "Python's warnings",
    "import numpy; numpy.seterr(all='raise')": "numpy's handling of errors",
    "import numpy; numpy.random.seed(3)": "numpy's random state",
    "torch.set_default_device('meta')": "torch's default device",
}


def test_what_an_import_changes_for_everybody_is_told(grade, small_edition):
    small_edition.save(f"{small_edition.solution}\n\ntorch.set_default_dtype(torch.float64)\n")

    done, results = grade("guided_relu_gradient")

    told = "assignment2/saliency.py: importing it changes torch's default dtype; importing must only define things"
    assert told in " ".join(done.stdout.split())
    assert results["output"].startswith(told)


def test_each_setting_that_holds_for_everybody_is_watched(small_edition):
    lines = ["import numpy, torch", "from coursekit.grading.import_probe import changes, settings"]
    for statement in GLOBAL:
        lines += ["before = settings()", statement, "print(*changes(before), sep=', ')"]

    done = small_edition.python("-c", "\n".join(lines))

    assert done.stdout.splitlines() == list(GLOBAL.values()), done.stderr


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("code", "sentence"),
    [("import os; os._exit(0)", "exit code 0"), ("import ctypes; ctypes.string_at(0)", "exit code -11")],
)
def test_a_crash_costs_its_check_and_the_others_still_run(grade, small_edition, code, sentence):
    small_edition.edit("    cam = grad_cam(model, images, labels, layer)  # (N, H, W)\n", f"    {code}\n    cam = 0\n")

    _, results = grade("1")

    assert {t["name"].split(":")[0] for t in results["tests"] if t["status"] != "passed"} == {"guided_grad_cam"}
    assert all(sentence in message for message in lost(results).values()), lost(results)


def test_an_exit_at_import_costs_the_part(grade, small_edition):
    small_edition.save("import os\nos._exit(0)\n")

    done, results = grade("1")

    assert (done.returncode, results["score"]) == (1, 0)


def test_an_endless_loop_is_stopped(grade, small_edition):
    small_edition.edit(
        "    cam = grad_cam(model, images, labels, layer)  # (N, H, W)\n",
        "    while True:\n        pass\n    cam = 0\n",
    )
    take_two_seconds(small_edition)

    began = time.monotonic()
    _, results = grade("guided_grad_cam", "guided_relu_gradient")

    messages = list(lost(results).values())
    told = "not run: another check of guided_grad_cam was stopped for taking too long"
    assert messages == ["stopped after 2 seconds: is there an endless loop?"] + [told] * (len(messages) - 1)
    assert len(messages) > 1
    assert results["score"] == 2, "the other function's checks run"
    assert {t["extra_data"]["outcome"] for t in results["tests"]} == {"timeout", "passed"}
    assert time.monotonic() - began < 10 * len(messages), "the loop is waited for once"


def test_a_check_that_waits_for_the_machine_is_not_stopped_and_one_that_waits_for_ever_is(grade, small_edition):
    last = "    return upstream.clamp(min=0) *"
    wait = "    if 'waited' not in globals():\n        globals()['waited'] = __import__('time').sleep({})\n"
    take_two_seconds(small_edition)
    small_edition.edit(last, wait.format(2.5) + last)
    assert grade("guided_relu_gradient")[0].returncode == 0

    small_edition.edit(last, wait.format(100) + last)
    _, results = grade("guided_relu_gradient")
    assert list(lost(results).values()) == ["stopped after 8 seconds: is there an endless loop?"]


def test_a_loop_that_only_the_end_of_its_process_stops_is_waited_for_once(grade, small_edition):
    small_edition.edit(
        "    cam = grad_cam(model, images, labels, layer)  # (N, H, W)\n",
        "    import signal\n    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGPROF])\n"
        "    while True:\n        pass\n    cam = 0\n",
    )
    take_two_seconds(small_edition)

    _, results = grade("guided_grad_cam")

    told = "not run: another check of guided_grad_cam was stopped for taking too long"
    messages = list(lost(results).values())
    assert messages == ["stopped after 8 seconds: is there an endless loop?"] + [told] * (len(messages) - 1)


def test_what_a_function_prints_is_shown_with_its_failed_check_only(grade, small_edition):
    small_edition.edit(
        "return gradient.abs().sum(dim=1)", "print('[red]shape', tuple(gradient.shape))\n    return gradient.sum(dim=1)"
    )

    done, results = grade("saliency_map")

    assert done.stdout.count("your code printed:") == 1
    assert "[red]shape (2, 3, 9, 13)" in done.stdout
    assert "(2, 3, 9, 13)" in (small_edition.root / "report.html").read_text(encoding="utf-8")
    assert not any("[red]shape" in t["output"] for t in results["tests"]), "a message is what the check says"


def test_a_syntax_error_is_shown_once_with_its_line_and_a_caret(grade, small_edition):
    small_edition.save("x = 1\n\n    y = (1\n")

    done, _ = grade()

    assert done.stdout.count("assignment2/saliency.py, line 3") == 1
    lines = done.stdout.splitlines()
    assert lines[0].endswith("assignment2/saliency.py, line 3: unexpected indent")
    assert (lines[1].strip(), lines[2].strip()) == ("y = (1", "^")
    assert "Next: fix assignment2/saliency.py:3, which cannot be imported" in done.stdout
    assert len(lines) < 20


def test_a_message_that_speaks_of_time_is_no_time_limit(grade, small_edition):
    code = "assert not images.ndim, 'stopped after 10 seconds: is there an endless loop?'"
    small_edition.edit("    cam = grad_cam(model, images, labels, layer)  # (N, H, W)\n", f"    {code}\n    cam = 0\n")

    _, results = grade("guided_grad_cam")

    assert all("stopped after" in message for message in lost(results).values()), lost(results)
    assert {t["extra_data"]["outcome"] for t in results["tests"]} == {"failed"}


def test_a_check_that_is_gone_skipped_or_expected_to_fail_scores_nothing(grade, small_edition):
    folder = small_edition.root / PARTS[0].tests_path
    path = folder / "test_saliency_map.py"
    head, rest = path.read_text().split('@pytest.mark.points(2, "saliency_map")\ndef test_saliency_of_a_linear', 1)
    path.write_text(head + rest.split("\n\n\n", 1)[1])
    for function, mark in ("grad_cam", "skip"), ("top_patches", "xfail"):
        path, points = folder / f"test_{function}.py", f'@pytest.mark.points(1, "{function}")'
        path.write_text(path.read_text().replace(points, f"@pytest.mark.{mark}\n{points}", 1))

    _, results = grade("1")

    messages = lost(results)
    assert results["score"] == 42 - 2 - 1 - 1
    assert "not in its file any more" in messages["test_saliency_of_a_linear_model_is_its_weights"]
    assert sum("skipped" in m for m in messages.values()) == 2


@pytest.mark.parametrize("name", ["conftest.py", "test_grad_cam.py"])
def test_a_part_cannot_be_had_by_deleting_its_checks(grade, small_edition, name):
    (small_edition.root / PARTS[0].tests_path / name).unlink()

    done, results = grade()

    assert done.returncode == 2
    assert results is None
    assert f"tests/saliency/{name} is missing" in done.stderr


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("pass", "the result is None: is a return missing?"),
        ("return 7", "the result is a int, expected a torch tensor"),
        ("return images * float('nan')", "the result has shape (2, 3, 9, 13), expected (2, 9, 13)"),
        ("return images[:, 0].detach() * float('nan')", "the result contains nan at (0, 0, 0), 234 of 234 entries"),
        ("return images[:, 0].float()", "the result has dtype torch.float32, expected torch.float64"),
    ],
)
def test_each_kind_of_nonsense_has_its_own_sentence(grade, small_edition, body, sentence):
    start = small_edition.solution.index("    images = images.detach()")
    end = small_edition.solution.index("    ### END SOLUTION")
    small_edition.save(small_edition.solution[:start] + f"    {body}\n" + small_edition.solution[end:])

    _, results = grade("saliency_map")

    assert lost(results)["test_saliency_of_a_linear_model_is_its_weights"].startswith(sentence)


@pytest.mark.parametrize("name", ["7", "saliency_mapp", ""])
def test_an_unknown_part_is_an_error_of_one_line(grade, name):
    done, _ = grade(name)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"no part is called {name!r}" in done.stderr


@pytest.mark.parametrize("damage", ["", "x", "{}"])
def test_damaged_references_cost_no_more_than_what_needs_them_and_the_remedy_is_told(grade, small_edition, damage):
    for name in ("saliency.npz", "saliency.json"):
        (small_edition.root / "data" / "reference" / name).write_text(damage)

    _, results = grade("grad_cam")

    messages = lost(results)
    assert 0 < len(messages) < len(results["tests"])
    assert all("`a2 doctor` says how to restore data/reference" in message for message in messages.values())


def test_a_missing_conftest_is_told(grade, small_edition):
    (small_edition.root / "tests" / "conftest.py").unlink()

    done, results = grade("1")

    assert (done.returncode, results) == (2, None)
    assert "tests/conftest.py is missing: restore it" in done.stderr


def test_several_parts_and_functions_are_graded_together(grade):
    done, results = grade("rotate_kernel", "2", "guided_relu_gradient")

    assert done.returncode == 0, done.stderr
    graded = list(dict.fromkeys(t["name"].split(":")[0] for t in results["tests"]))
    assert sorted(graded) == sorted(["guided_relu_gradient", *PARTS[1].functions, "rotate_kernel"])
    assert (graded[0], graded[-1]) == ("guided_relu_gradient", "rotate_kernel"), "in the table's order"
    wrong, _ = grade("2", "no_such_part")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "no part is called 'no_such_part'" in wrong.stderr


def test_many_checks_are_run_by_two_processes_and_a_crash_costs_one_function(grade, small_edition):
    path = small_edition.root / "coursekit" / "grading" / "grade.py"
    code = path.read_text()
    assert "MANY, SLOW = 120," in code
    path.write_text(code.replace("MANY, SLOW = 120,", "MANY, SLOW = 1,").replace("how_many_fit(CHECKS)", "2"))
    tell = "    raise ValueError(f'process {__import__(\"os\").getpid()}')"
    for function, module, body in (
        ("rotate_kernel", "upsampling", tell),
        ("bilinear_kernel", "upsampling", tell),
        ("total_variation_loss", "style_transfer", tell),
        ("content_loss", "style_transfer", "    __import__('os')._exit(3)"),
    ):
        with (small_edition.root / "assignment2" / f"{module}.py").open("a") as file:
            file.write(f"\n\ndef {function}(*arguments):\n{body}\n")

    done, results = grade("content_loss", "gram_matrix", "total_variation_loss", "rotate_kernel", "bilinear_kernel")

    told = {t["name"].split(":")[0]: t["output"] for t in results["tests"] if t["status"] != "passed"}
    assert set(told) == {"content_loss", "total_variation_loss", "rotate_kernel", "bilinear_kernel"}, done.stdout
    assert "exit code 3" in told.pop("content_loss")
    process = {function: re.findall(r"process \d+", message)[0] for function, message in told.items()}
    assert process["rotate_kernel"] == process["bilinear_kernel"] != process["total_variation_loss"]


def test_an_exception_ends_all_processes(monkeypatch):
    running, begun = [], []

    class Child:
        def poll(self):
            return None

        def kill(self):
            pass

    @contextmanager
    def launch(arguments, root, log):
        begun.append(arguments)
        running.append(arguments)
        try:
            yield Child()
        finally:
            running.remove(arguments)

    def stop(done):
        assert (done, len(running)) == (0, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "how_many_fit", lambda need: 2)
    with pytest.raises(KeyboardInterrupt):
        grading.grade(read_manifest(ROOT / "tests" / "manifest.json"), PARTS, launch=launch, progress=stop)

    assert (len(begun), running) == (2, [])


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("arguments", "points"),
    [("tests/saliency -k guided_rule", 2), ("tests/saliency/test_guided_relu_gradient.py", 2), ("-k linear_shift", 2)],
)
def test_plain_pytest_works_and_shows_points(small_edition, arguments, points):
    environment = {name: value for name, value in small_edition.environment.items() if name != "PYTHONPATH"}
    command = [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider", *arguments.split()]
    done = subprocess.run(command, cwd=small_edition.root, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"points: {points} of {points}" in done.stdout


@pytest.mark.sampled(2)
@pytest.mark.parametrize("says_so", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=["C", "ascii"])
def test_the_output_is_plain_ascii_where_the_locale_says_so(small_edition, says_so):
    environment = small_edition.environment | says_so | {"COLUMNS": "80"}
    command = [sys.executable, "-m", "coursekit", "grade", "guided_relu_gradient"]
    done = subprocess.run(command, cwd=small_edition.root, env=environment, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode("ascii").splitlines()
    assert max(map(len, lines)) <= 80
    assert b"\x1b" not in done.stdout, "no colour where nobody watches"


def test_the_manifest_is_what_the_checks_say():
    stored = json.loads((ROOT / "tests" / "manifest.json").read_text())

    assert {entry["function"] for entry in stored} == {name for part in PARTS for name in part.functions}
    assert len({entry["id"] for entry in stored}) == len(stored)
