"""The page of `notebooks/0_play.ipynb`: a picture, a network and one of the student's functions, seen at once.

The modules come from the notebook. One thread computes, always for the newest choice: a slider that moves on ends what runs.
The page looks at the saved files: a function that is saved is run again, one that is not written yet is greyed.
"""

from __future__ import annotations

import ast
import importlib
import queue
import tempfile
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from coursekit.errors import UsageError
from coursekit.grading.advice import UNREADABLE
from coursekit.grading.cells import place_of_hole
from coursekit.grading.grade import syntax_problem
from coursekit.grading.holes import HOLE_ENDING, open_holes
from coursekit.grading.report import template
from coursekit.parts import ROOT
from coursekit.vision import MODEL_NAMES, collage, load_model, make_scenes, map_layers, photographs
from coursekit.vision.experiments import EXPERIMENTS, STYLE_SIDE, Choice, Experiment, Frame, first_answers
from coursekit.vision.paintings import KINDS, PALETTES, make_painting
from coursekit.vision.photos import fit_photo, load_photo, read_photos

NETWORKS = ("efficientnet_lite0", *MODEL_NAMES)
LOOK = 1.0  # seconds between two looks at the files
LIKELY = 3  # classes that stand first in the list
COLLAGE = (1, 2, 5, 9)  # of the twenty photographs


def play(*modules: ModuleType) -> Page:
    """Show the page.

    Args:
        modules: saliency, class_visualization, adversarial and style_transfer of assignment2, as far as they are there.
    """
    from IPython.display import display

    page = Page(modules)
    display(page.layout)
    page.start()
    return page


def pictures() -> dict[str, Tensor]:
    """Return what can be looked at before anything is uploaded: photographs, a collage, and scenes of the small world."""
    found = photographs()
    named = {f"{name} ({i + 1})": image for i, (name, image) in enumerate(zip(found.names, found.images, strict=True))}
    grid = collage(found.images[list(COLLAGE)], found.labels[list(COLLAGE)]).images[0]
    scenes = make_scenes(2, seed=3, objects=("cat", "dog")).images
    return {
        **named,
        **read_photos((360, 360)),
        "four photographs in one": grid,
        "a scene: cat and dog": scenes[0],
        "another scene": scenes[1],
    }


def as_html(frame: Frame) -> str:
    """Return a frame as HTML: pictures side by side, the network's answers as bars, how far it has come."""
    return template("play.html").render(frame=frame)


def said(text: str) -> str:
    """Return a sentence for where the pictures stand."""
    return template("play.html").render(text=text)


class Page:
    """The controls, what is chosen, and the thread that computes."""

    def __init__(self, modules: tuple[ModuleType, ...]) -> None:
        self.modules = {module.__name__.rpartition(".")[2]: module for module in modules}
        self.experiments = {e.function: e for e in EXPERIMENTS if e.module in self.modules}
        self.saved = self._times()
        self.pictures = pictures()
        self.models: dict[str, Any] = {}
        self.waiting: queue.Queue[bool] = queue.Queue()  # a choice to compute
        self.chosen = next((e for e in self.experiments if e not in self._holes()), "")
        self._make_controls()
        self._choices_changed()
        self._show_controls()

    def _make_controls(self) -> None:
        calm = {"continuous_update": False}
        self.picture = widgets.Dropdown(options=list(self.pictures), description="picture")
        auto = widgets.Layout(width="auto")
        self.upload = widgets.FileUpload(accept="image/*", description="your photograph", layout=auto)
        self.network = widgets.Dropdown(options=NETWORKS, description="network")
        self.buttons = {name: widgets.Button(layout=widgets.Layout(width="auto")) for name in self.experiments}
        paintings = [f"{kind} {palette}" for kind in KINDS for palette in PALETTES]
        self.controls = {
            "target": widgets.Dropdown(description="class"),
            "layer": widgets.SelectionSlider(options=[""], description="layer", **calm),
            "eps": widgets.IntSlider(value=4, max=32, description="eps / 255", **calm),
            "steps": widgets.IntSlider(value=32, min=1, max=128, description="steps", **calm),
            "style": widgets.Dropdown(options=paintings, description="style"),
        }
        for control in (self.picture, self.network, *self.controls.values()):
            control.layout.width = "22rem"
        self.result = widgets.HTML()
        rows = [self.picture, self.upload, self.network], [*self.buttons.values()], [*self.controls.values()]
        boxes = [widgets.HBox(row, layout=widgets.Layout(flex_flow="row wrap")) for row in rows]
        self.layout = widgets.VBox([*boxes, self.result])
        self.upload.observe(self._uploaded, names="value")
        for control in (self.picture, self.network):
            control.observe(self._choices_changed, names="value")
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self.choose(name))
        for control in self.controls.values():
            control.observe(lambda _: self.waiting.put(True), names="value")

    def start(self) -> None:
        """Begin to compute; the thread ends with the kernel."""
        threading.Thread(target=self._work, daemon=True).start()
        self.waiting.put(True)

    def choose(self, function: str) -> None:
        """Take another function."""
        self.chosen = function
        self._show_controls()
        self.waiting.put(True)

    @property
    def model(self) -> Any:
        if self.network.value not in self.models:
            self.models[self.network.value] = load_model(self.network.value)
        return self.models[self.network.value]

    @property
    def image(self) -> Tensor:
        """The picture as the network takes it."""
        return fit_photo(self.pictures[self.picture.value], self.model.input_size)

    def choice(self, experiment: Experiment) -> Choice:
        """Return what is set."""
        values = {name: control.value for name, control in self.controls.items()}
        made = Choice(self.image, self.model, values["target"], values["layer"], values["eps"] / 255, values["steps"])
        if "style" not in experiment.controls:
            return made
        kind, palette = values["style"].split()
        size = (STYLE_SIDE, STYLE_SIDE)
        content = fit_photo(self.pictures[self.picture.value], size)
        return replace(made, image=content, style=make_painting(kind, palette=palette, size=size))

    def frames(self) -> Iterator[str]:
        """Yield what is shown for the choice as it stands: frames of the function, or a sentence about what is wrong."""
        experiment = self.experiments.get(self.chosen)
        if experiment is None:
            names = ", ".join(self.experiments)
            yield said(f"None of {names} is written yet. Write one, save its file, and it runs here.")
            return
        try:
            for frame in experiment.frames(self.modules[experiment.module], self.choice(experiment)):
                yield as_html(frame)
        except Exception as error:  # noqa: BLE001  a student's function may raise anything
            yield said(explain(error))

    def _work(self) -> None:
        while True:
            try:
                self.waiting.get(timeout=LOOK)
            except queue.Empty:
                if not self._reloaded():
                    continue
            while not self.waiting.empty():  # only the newest choice counts
                self.waiting.get_nowait()
            for shown in self.frames():
                self.result.value = shown
                if not self.waiting.empty():
                    break

    def _uploaded(self, _: Any) -> None:
        for file in self.upload.value:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / Path(str(file["name"])).name
                path.write_bytes(bytes(file["content"]))
                try:
                    self.pictures[path.name] = load_photo(path, max_side=1024)
                except UsageError as error:
                    self.result.value = said(str(error).replace(str(path), path.name))
                    return
            self.picture.options = list(self.pictures)
            self.picture.value = path.name

    def _choices_changed(self, _: Any = None) -> None:
        """Fill the lists of classes and layers for the picture and the network, and compute."""
        model, target, layer = self.model, self.controls["target"], self.controls["layer"]
        likely = [(f"{p:.0%} {name}", name) for name, p in first_answers(model, self.image, LIKELY)]
        number = {name: k for k, name in reversed(list(enumerate(model.class_names)))}
        options = [(text, number[name]) for text, name in likely]
        target.options = options + [(name, k) for name, k in sorted(number.items())]
        target.value = options[0][1]
        layers = map_layers(model)
        if tuple(layer.options) != layers:
            layer.options = layers
            layer.value = layers[-1]
        self.waiting.put(True)

    def _show_controls(self) -> None:
        """Show the controls of the chosen function only, and grey the functions that are not written yet."""
        holes = self._holes()
        for name, button in self.buttons.items():
            button.disabled = name in holes
            button.description = f"{name} (not written yet)" if button.disabled else name
            button.button_style = "primary" if name == self.chosen else ""
        experiment = self.experiments.get(self.chosen)
        for name, control in self.controls.items():
            control.layout.display = None if experiment and name in experiment.controls else "none"

    def _holes(self) -> set[str]:
        """Return the functions that are still to do in the files as they are saved; all of a file that cannot be read."""
        found = set()
        for module in self.modules:
            try:
                tree = ast.parse((ROOT / "assignment2" / f"{module}.py").read_text(encoding="utf-8"))
                found |= set(open_holes(tree))
            except UNREADABLE:
                found |= {e.function for e in EXPERIMENTS if e.module == module}
        return found

    def _times(self) -> dict[str, int]:
        files = {name: ROOT / "assignment2" / f"{name}.py" for name in self.modules}
        return {name: path.stat().st_mtime_ns for name, path in files.items() if path.exists()}

    def _reloaded(self) -> bool:
        """Load the modules that were saved since; say whether there were any."""
        times = self._times()
        changed = [name for name in times if times[name] != self.saved.get(name)]
        self.saved = times
        for name in changed:
            problem = syntax_problem(ROOT, Path("assignment2") / f"{name}.py")
            if problem:
                self.result.value = said(problem)
                return False
            try:
                importlib.reload(self.modules[name])
            except Exception as error:  # noqa: BLE001  as above
                self.result.value = said(explain(error))
                return False
        if changed:
            if self.chosen in self._holes() or not self.chosen:
                self.chosen = next((e for e in self.experiments if e not in self._holes()), "")
            self._show_controls()
        return bool(changed)


def explain(error: BaseException) -> str:
    """Return what a function raised, and the line of assignment2 on which it did."""
    function = str(error).removesuffix(HOLE_ENDING)
    if isinstance(error, NotImplementedError) and str(error).endswith(HOLE_ENDING):
        try:
            hole = place_of_hole(function)
            return f"{function} is not written yet: open {hole.path.as_posix()} at line {hole.line}, and save"
        except UsageError:
            pass
    own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent.name == "assignment2"]
    place = f"\nassignment2/{Path(own[-1].filename).name}, line {own[-1].lineno}: {own[-1].line}" if own else ""
    return f"{type(error).__name__}: {error}{place}"
