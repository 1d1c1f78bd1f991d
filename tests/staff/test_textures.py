"""Pictures in which shape and texture disagree: what is exchanged, what stays, and what a seed gives."""

import torch

from coursekit.staff.recipes import RECIPES
from coursekit.vision import CLASSES, make_scenes
from coursekit.vision.scenes import EVALUATION_SEED
from coursekit.vision.textures import (
    evaluation_conflicts,
    fill_silhouette,
    make_conflicts,
    make_textures,
    retextured_scenes,
)


def test_shape_and_texture_are_different_classes_and_shapes_are_balanced():
    conflicts = make_conflicts(48, seed=3)

    assert bool((conflicts.shapes != conflicts.textures).all())
    assert conflicts.shapes.bincount(minlength=len(CLASSES)).tolist() == [2] * len(CLASSES)
    assert len(conflicts.textures.unique()) > 12


def test_a_seed_gives_the_conflicts_again_and_another_seed_others():
    one, same, other = (make_conflicts(24, seed=seed) for seed in (3, 3, 4))

    assert torch.equal(one.images, same.images)
    assert torch.equal(one.textures, same.textures)
    assert not torch.equal(one.images, other.images)
    assert len(evaluation_conflicts(24).shapes) == 24


def test_only_the_silhouette_is_filled():
    conflicts = make_conflicts(24, seed=5)
    masks = make_scenes(24, seed=5, background="plain").mask()
    outside = (conflicts.content == 0.5).all(dim=1)

    changed = (conflicts.images != conflicts.content).any(dim=1)

    assert not bool((changed & outside).any())
    share = changed[masks].float().mean()
    assert share > 0.97, f"{share:.1%} of the object's pixels have another colour"


def test_fill_silhouette_makes_the_same_picture_and_leaves_its_arguments():
    conflicts = make_conflicts(24, seed=6)
    content, texture = conflicts.content.clone(), conflicts.texture.clone()

    for i in (0, 7):
        assert torch.equal(fill_silhouette(conflicts.content[i], conflicts.texture[i]), conflicts.images[i])
    assert torch.equal(content, conflicts.content)
    assert torch.equal(texture, conflicts.texture)


def test_a_texture_fills_the_picture_and_shows_no_background():
    textures = make_textures(torch.arange(len(CLASSES)), seed=8)

    assert textures.shape == (24, 3, 96, 96)
    grey = ((textures - 0.5).abs() < 1e-3).all(dim=1).float().mean(dim=(1, 2))
    assert grey.max() < 0.05, f"{CLASSES[int(grey.argmax())]} shows plain grey in {grey.max():.0%} of its texture"
    assert torch.equal(textures[:, :, :8, :8].amin(dim=(2, 3)) >= 0, torch.ones(24, 3, dtype=torch.bool))


def test_retextured_scenes_keep_their_labels_masks_and_backgrounds():
    plain, filled = make_scenes(24, seed=9), retextured_scenes(24, seed=9)

    assert torch.equal(plain.labels, filled.labels)
    assert torch.equal(plain.instances, filled.instances)
    background = (plain.instances == 0)[:, None].expand_as(plain.images)
    assert torch.equal(plain.images[background], filled.images[background])
    assert (plain.images != filled.images).any(dim=1)[plain.mask()].float().mean() > 0.97


def test_no_training_sees_the_conflicts_on_which_bias_is_measured():
    from coursekit.staff.fit import RETEXTURED_SEED

    seeds = {
        recipe.seed + offset for recipe in RECIPES.values() for offset in (0, RETEXTURED_SEED, RETEXTURED_SEED + 1)
    }
    assert not seeds & {EVALUATION_SEED, EVALUATION_SEED + 1}
