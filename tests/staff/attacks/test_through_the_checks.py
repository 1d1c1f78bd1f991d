"""Attacks through what the checks do themselves: hand text back, put siblings in place, look at a network, compute what is right."""

import textwrap

import pytest

from coursekit.parts import PARTS, ROOT
from coursekit.staff.isolation import checks_of, grade_submission
from tests.staff.attacks.conftest import with_body

MODULES = {part.module: part for part in PARTS}


@pytest.fixture
def attack(room, tmp_path):
    """Grade our solution of a module with some bodies replaced and code at its end."""

    def attacked(module, *names, code="", bodies=(), hidden=False, weights=()):
        part = MODULES[module]
        for name, content in dict(weights).items():
            (tmp_path / "trained").mkdir(exist_ok=True)
            (tmp_path / "trained" / name).write_bytes(content)
        text = (ROOT / part.module_path).read_text(encoding="utf-8")
        for function, body in dict(bodies).items():
            text = with_body(text, function, body)
        path = tmp_path / part.module_path
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n\n" + textwrap.dedent(code), encoding="utf-8")
        checks = [c for c in checks_of([part], hidden=hidden) if c.id.endswith(names)]
        return grade_submission(tmp_path, [part], room=room, checks=checks)

    return attacked


def told(grade):
    return "\n".join(verdict.message for verdict in grade.verdicts)


@pytest.mark.parametrize("file", ["/etc/passwd", "/proc/self/cwd/assignment2/robustness.py", str(ROOT / "README.md")])
def test_a_files_name_in_a_table_that_a_check_puts_back_brings_no_file(attack, file):
    code = f"""
        SEVERITIES["a"] = {file!r}
        def gaussian_noise(images, *rest, **named):
            import sys
            raise RuntimeError("LE" + "AK " + open(sys.modules[__name__].SEVERITIES["a"]).read())
    """

    grade = attack("robustness", "normal_with_the_severitys_sigma", code=code)

    assert grade.score == 0
    assert "Error" in told(grade)
    assert "LEAK" not in told(grade)


def test_a_part_of_a_network_that_is_called_like_a_file_brings_no_file(attack):
    code = """
        class Hollow(nn.Conv2d):
            def __init__(self):
                super().__init__(1, 1, 1)
                self._parameters.clear()
        whole = UNet.__init__
        def with_another(self, *rest, **named):
            whole(self, *rest, **named)
            self.add_module("/etc/passwd", Hollow())
        def leaking(self, path):
            if path.startswith("/"):
                raise RuntimeError("LE" + "AK " + open(path).read())
            return nn.Module.get_submodule(self, path)
        UNet.__init__, UNet.get_submodule = with_another, leaking
    """

    grade = attack("segmentation", "copies_its_skip_returns_the_picture", code=code)

    assert grade.score == 0
    assert "odd name" in told(grade)
    assert "LEAK" not in told(grade)


@pytest.mark.parametrize("how", ["raise RuntimeError('no')", "import os; os._exit(0)", "self.channel.close()"])
def test_a_sibling_that_cannot_be_put_back_leaves_no_right_one_in_its_place(attack, how):
    code = f"""
        import gc
        worker = next(o for o in gc.get_objects() if type(o).__name__ == "Worker")
        restore = type(worker).do_restore
        def failing(self, unpacker, module, name):
            if name == "total_variation_loss":
                {how}
            return restore(self, unpacker, module, name)
        type(worker).do_restore = failing
    """
    wanted = ("content_loss_of_fresh_features", "style_loss_of_fresh_features")

    grade = attack(
        "style_transfer", "no_steps_return_the_start", *wanted,
        code=code, bodies={"content_loss": "return None", "style_loss": "return None"}, hidden=True,
    )  # fmt: skip

    assert [v.score for v in grade.verdicts if v.check.id.endswith(wanted)] == [0, 0]


SETTINGS = {
    "dropout that drops everything": "for m in model.modules():\n    if isinstance(m, nn.Dropout):\n        m.p, m.training = 1.0, True",
    "batch norm that divides by infinity": "model.normalize.eps = 1e300",
    "statistics that divide by infinity": "model.normalize.running_var.fill_(1e300)",
}
CONSTANT = """
with torch.no_grad():
    answer = model(torch.rand(1, 3, 8, 8).double())[0]
class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.answer = nn.Parameter(answer)
    def forward(self, x):
        return self.answer[None, :, None, None].expand(len(x), -1, (x.shape[2] - 6) // 2, (x.shape[3] - 6) // 2)
return Constant()
"""


@pytest.mark.parametrize("name", SETTINGS)
def test_a_network_that_is_set_to_fit_the_answer_earns_nothing(attack, name):
    grade = attack(
        "segmentation", "is_the_classifier", "classifier_at_every_window",
        bodies={"convolutionalize": f"{SETTINGS[name]}\n{CONSTANT}"},
    )  # fmt: skip

    assert grade.score == 0
    assert told(grade).count("values are wrong") == 2, told(
        grade
    )  # what is right is computed from the network as it was


@pytest.mark.parametrize("names", [["unet"], ["unet", "another"], [f"net{i}" for i in range(8)]], ids=len)
def test_weights_that_are_many_or_large_cost_no_other_function_a_point(attack, names):
    weights = {f"{name}.safetensors": bytes(19 * 2**20) for name in names}

    grade = attack("segmentation", "mean_iou_of_040", "matrix_of_fresh_masks", hidden=True, weights=weights)

    trained, matrix = grade.verdicts
    assert (trained.score, matrix.score) == (0, 1), told(grade)
    assert "safetensor" in trained.message.casefold()


def test_masks_that_are_made_from_guessed_seeds_fit_no_hidden_scene(attack):
    code = """
        from coursekit.vision import segmenting
        made = [segmenting.segmentation_scenes(24, seed=seed)[:2] for seed in (0, 1, 6_001, 70_717)]
        known = {x.numpy().tobytes(): y for images, labels in made for x, y in zip(images, labels)}
        def cheat(self, images):
            nothing = torch.zeros(images.shape[2:], dtype=torch.long)
            found = torch.stack([known.get(x.float().numpy().tobytes(), nothing).long() for x in images])
            return F.one_hot(found, segmenting.UNET_CLASSES).movedim(3, 1).to(images.dtype)
        UNet.forward = cheat
    """
    weights = {"unet.safetensors": (ROOT / "trained" / "unet.safetensors").read_bytes()}

    grade = attack("segmentation", "mean_iou_of_060_on_fresh_scenes", code=code, hidden=True, weights=weights)

    assert grade.score == 0
    assert "0.60 is wanted" in told(grade)
