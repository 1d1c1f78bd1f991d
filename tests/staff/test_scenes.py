"""EmojiScenes: what is said about a scene is exactly what its pixels show."""

from __future__ import annotations

import hashlib

import pytest
import torch

from coursekit.errors import UsageError
from coursekit.vision import backgrounds, sprites
from coursekit.vision.scenes import CLASSES, EVALUATION_SEED, Scenes, evaluation_scenes, make_scenes


def _same(a: Scenes, b: Scenes) -> bool:
    names = ("images", "labels", "boxes", "instances")
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)


def test_a_seed_gives_the_same_scenes_again():
    assert _same(make_scenes(5, seed=3, num_objects=2), make_scenes(5, seed=3, num_objects=2))
    assert not torch.equal(make_scenes(5, seed=3).images, make_scenes(5, seed=4).images)


def test_a_scene_does_not_depend_on_how_many_are_made():
    many = make_scenes(50, seed=3, num_objects=2)
    few = make_scenes(20, seed=3, num_objects=2)

    assert _same(few, Scenes(many.images[:20], many.labels[:20], many.boxes[:20], many.instances[:20]))


def test_the_global_random_state_and_default_dtype_change_nothing():
    expected = make_scenes(3, seed=3, num_objects=3)
    state = torch.get_rng_state()
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(99)
        before = torch.get_rng_state()
        scenes = make_scenes(3, seed=3, num_objects=3)
        assert torch.equal(torch.get_rng_state(), before)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_rng_state(state)

    assert scenes.images.dtype == torch.float32
    assert _same(scenes, expected)


def test_scenes_of_a_seed_are_those_of_every_platform():
    scenes = make_scenes(48, seed=2024, num_objects=2)

    digest = hashlib.sha256(scenes.labels.numpy().astype("<i8").tobytes()).hexdigest()[:16]
    share = (scenes.instances > 0).float().mean(dim=(1, 2))

    # Labels come from comparisons of the same uniform numbers; pixels only to the rounding of sines and products.
    assert digest == "19dc40e8492b8d2f"
    assert scenes.images.mean().item() == pytest.approx(0.47061, abs=2e-4)
    assert share[:4].tolist() == pytest.approx([0.2317, 0.1383, 0.1751, 0.2108], abs=1e-3)
    assert scenes.boxes.float().mean(dim=(0, 1)).tolist() == pytest.approx([27.823, 28.896, 67.604, 69.938], abs=0.05)


def test_images_masks_boxes_and_labels_have_the_shapes_said():
    scenes = make_scenes(3, seed=0, num_objects=2, size=(64, 81))

    assert scenes.images.shape == (3, 3, 64, 81)
    assert scenes.images.dtype == torch.float32
    assert 0 <= scenes.images.min() <= scenes.images.max() <= 1
    assert scenes.labels.shape == (3, 2)
    assert scenes.boxes.shape == (3, 2, 4)
    assert scenes.instances.shape == scenes.mask(1).shape == scenes.semantic().shape == (3, 64, 81)
    assert scenes.labels.dtype == scenes.boxes.dtype == scenes.instances.dtype == scenes.semantic().dtype == torch.int64
    assert len(scenes) == 3


def test_the_mask_is_where_the_picture_differs_from_its_background():
    clean = backgrounds.paint(torch.zeros(24, backgrounds.COLUMNS), (96, 96), "plain")
    scenes = make_scenes(24, seed=11, background="plain")

    changed = ((scenes.images - clean).abs().amax(dim=1)) > 1e-4
    inside = scenes.mask()

    # Outside the mask only the soft rim of the object (opacity up to one half) may differ: within two pixels of it.
    grown = torch.nn.functional.max_pool2d(inside.float(), 5, stride=1, padding=2) > 0
    assert not (changed & ~grown).float().mean() > 2e-3, "pixels far from the mask were painted"
    assert (changed & inside).sum() / inside.sum() > 0.97, "the mask covers pixels that show background"


def test_boxes_are_the_tight_half_open_boxes_of_the_visible_pixels():
    scenes = make_scenes(20, seed=5, num_objects=3, overlap=0.7)

    for n in range(20):
        for m in range(3):
            rows, columns = torch.where(scenes.instances[n] == m + 1)
            expected = [0, 0, 0, 0]
            if len(rows):
                expected = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
            assert scenes.boxes[n, m].tolist() == [int(side) for side in expected]


def test_a_later_object_hides_an_earlier_one():
    pair = make_scenes(40, seed=8, objects=("cat", "dog"), overlap=1.0, background="plain")
    alone = make_scenes(40, seed=8, objects=("cat",), overlap=1.0, background="plain", scale=(0.38, 0.52))

    assert (pair.mask(1).flatten(1).sum(1) > 0).all(), "the last object is never hidden"
    assert not (pair.mask(0) & pair.mask(1)).any()
    hidden = alone.mask(0) & ~pair.mask(0)
    assert hidden.any(), "with overlap=1 some cats lie partly behind a dog"
    assert (hidden <= pair.mask(1)).all(), "a cat is hidden only where a dog is seen"


def test_objects_lie_apart_unless_asked_otherwise():
    for m in (2, 3, 4):
        scenes = make_scenes(48, seed=21, num_objects=m)
        for i in range(m):
            top, left, bottom, right = scenes.boxes[:, i].unbind(1)
            seen = scenes.mask(i).flatten(1).sum(1)
            assert (seen > 100).all(), "every object is well visible"
            assert ((bottom - top).maximum(right - left) >= 24).all()


def test_exactly_the_objects_asked_for_are_drawn():
    same = make_scenes(4, seed=1, objects=("cat", "dog"))
    each = make_scenes(2, seed=1, objects=[("frog", "car"), ("house", "tree")])

    assert same.labels.tolist() == [[0, 1]] * 4
    assert [[CLASSES[c] for c in row] for row in each.labels.tolist()] == [["frog", "car"], ["house", "tree"]]


def test_classes_are_balanced_and_drawn_from_those_among():
    everything = make_scenes(96, seed=1, size=(16, 16)).label.bincount(minlength=24)
    some = make_scenes(30, seed=1, among=("snake", "ship"), size=(16, 16)).label

    assert everything.tolist() == [4] * 24
    assert sorted({CLASSES[c] for c in some.tolist()}) == ["ship", "snake"]
    assert (some == CLASSES.index("ship")).sum() == 15


def test_semantic_maps_are_class_plus_one_where_objects_are_seen():
    scenes = make_scenes(6, seed=2, num_objects=2)

    expected = torch.zeros_like(scenes.instances)
    for m in range(2):
        expected += scenes.mask(m) * (scenes.labels[:, m] + 1)[:, None, None]
    assert torch.equal(scenes.semantic(), expected)


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (97, 33), (224, 224)])
def test_any_size_is_drawn_with_its_object_visible(size):
    scenes = make_scenes(12, seed=4, size=size)

    assert scenes.images.shape[-2:] == size
    assert (scenes.mask().flatten(1).sum(1) > 0.02 * size[0] * size[1] * min(size) / max(size)).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (15, 4), (8, 8)])
def test_tiny_sizes_are_drawn_as_well(size):
    scenes = make_scenes(24, seed=4, size=size, num_objects=2)

    assert scenes.images.shape[-2:] == scenes.instances.shape[-2:] == size
    assert 0 <= scenes.images.min() <= scenes.images.max() <= 1
    assert (scenes.boxes[..., 2] <= size[0]).all()
    assert scenes.mask(1).any(), "some objects are seen even there"


@pytest.mark.parametrize("background", backgrounds.KINDS)
def test_backgrounds_are_what_was_asked_for(background):
    scenes = make_scenes(8, seed=6, background=background)

    outside = scenes.images.movedim(1, -1)[scenes.instances == 0]
    grey = (outside - 0.5).abs().amax(dim=1) < 1e-6
    assert (grey.float().mean() > 0.9) == (background == "plain")


def test_evaluation_scenes_are_fixed_balanced_and_shared_with_no_training():
    from coursekit.staff.train import RECIPES

    scenes = evaluation_scenes(48)

    assert _same(scenes, evaluation_scenes(48))
    assert scenes.label.bincount(minlength=24).tolist() == [2] * 24
    assert EVALUATION_SEED not in {recipe.seed for recipe in RECIPES.values()}
    for recipe in RECIPES.values():
        trained = make_scenes(48, seed=recipe.seed).images
        nearest = torch.cdist(scenes.images.flatten(1), trained.flatten(1)).min()
        assert nearest > 1, f"an evaluation picture is among the training pictures of {recipe.name}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_scenes": 0}, "num_scenes is 0"),
        ({"num_scenes": -2}, "num_scenes is -2"),
        ({"num_objects": 0}, "0 objects"),
        ({"num_objects": 5}, "5 objects"),
        ({"num_scenes": 2.5}, "num_scenes is 2.5"),
        ({"num_objects": "two"}, "two objects"),
        ({"size": (0, 96)}, r"size is \(0, 96\)"),
        ({"size": (96.0, 96)}, r"size is \(96.0, 96\)"),
        ({"size": 96}, "size is 96"),
        ({"scale": 0.5}, "scale is 0.5"),
        ({"overlap": "much"}, "overlap is much"),
        ({"background": "beach"}, "'beach'"),
        ({"scale": (0.9, 0.2)}, "scale is"),
        ({"overlap": 2}, "overlap is 2"),
        ({"among": ("elefant",)}, "elephant"),
        ({"among": ()}, "among is empty"),
        ({"objects": ("cat", "dgo")}, "dog"),
        ({"objects": "cat"}, "the string 'cat'"),
        ({"objects": [("cat",)]}, "1 scenes"),
        ({"objects": [("cat",), ("cat", "dog")]}, "same number"),
        ({"objects": ("cat", "dog"), "num_objects": 3}, "same number"),
        ({"objects": ("cat",), "among": ("dog",)}, "contradict"),
        ({"objects": ()}, "names 0 scenes"),
    ],
)
def test_bad_input_is_named(options, said):
    arguments = {"num_scenes": 2, "seed": 0, **options}

    with pytest.raises(ValueError, match=said):
        make_scenes(**arguments)


def test_label_and_mask_refuse_what_the_scenes_do_not_have():
    scenes = make_scenes(2, seed=0, num_objects=2, size=(32, 32))

    with pytest.raises(ValueError, match="2 objects"):
        _ = scenes.label
    with pytest.raises(ValueError, match="object 2"):
        scenes.mask(2)


def test_a_missing_sprite_sheet_is_answered_with_the_remedy(tmp_path):
    with pytest.raises(UsageError, match=r"git checkout -- data/sprites\.png"):
        sprites._sprites(tmp_path / "sprites.png")


def test_make_sprites_gives_the_shipped_bytes_each_time(tmp_path):
    from coursekit.staff.sprites import FONT, make_sprites

    if not FONT.is_file():
        pytest.skip("no Noto Color Emoji here: as root, ./setup.sh test")
    size = make_sprites(tmp_path / "one.png")
    make_sprites(tmp_path / "two.png")

    assert size < 1_000_000
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    shipped, drawn = (backgrounds.read_picture(path, "RGBA") for path in (sprites.SPRITES, tmp_path / "one.png"))
    assert shipped.shape == drawn.shape  # pixels may differ by the font's version


def test_make_sprites_makes_no_folder_and_overwrites_none(tmp_path):
    from coursekit.staff.sprites import make_sprites

    (tmp_path / "a folder.png").mkdir()
    for name in ("not there/sprites.png", "a folder.png", "sprites.txt"):
        with pytest.raises(UsageError, match=r"name a \.png file in a folder that is there"):
            make_sprites(tmp_path / name)
    assert not (tmp_path / "not there").exists()


def test_a_damaged_sprite_sheet_is_answered_with_the_remedy(tmp_path):
    (tmp_path / "sprites.png").write_bytes(b"not a picture")

    with pytest.raises(UsageError, match=r"git checkout -- data/sprites\.png"):
        sprites._sprites(tmp_path / "sprites.png")


def test_make_sprites_without_the_font_says_what_to_install(tmp_path):
    from coursekit.staff.sprites import make_sprites

    with pytest.raises(UsageError, match="apt-get install fonts-noto-color-emoji"):
        make_sprites(tmp_path / "sprites.png", font=tmp_path / "absent.ttf")
