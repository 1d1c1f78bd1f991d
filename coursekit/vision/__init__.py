"""Given code: the small world, its trained networks, and tools to look inside them: what notebooks import from here."""

# ruff: noqa: F401 (the imports are the list)

from coursekit.vision.checked import checked
from coursekit.vision.checked_network import Network
from coursekit.vision.collages import collage, photographs, random_collages, random_crops, share_in_box
from coursekit.vision.draws import normal, uniform
from coursekit.vision.geometry import Step, spatial_steps
from coursekit.vision.heads import linear_head
from coursekit.vision.hooks import record_outputs, relu_rule
from coursekit.vision.imagenet import class_index, class_labels
from coursekit.vision.layers import cam_layer, map_layers, three_layers
from coursekit.vision.scenes import CLASSES, Scenes, evaluation_scenes, make_scenes
from coursekit.vision.segmenting import SEGMENTED, UNET_CLASSES, UNET_WIDTHS
from coursekit.vision.trunk import trunk, watch_steps
from coursekit.vision.zoo import MODEL_NAMES, in_cache, load_model, load_worlds
