"""What one does with latents: walks, sums, directions, truncation, and the way back from images to latents and data."""

from tfgan_zoo.geometry import lerp, slerp
from tfgan_zoo.latents.arithmetic import arithmetic, turn
from tfgan_zoo.latents.attributes import Direction, attribute_direction, flip_attribute
from tfgan_zoo.latents.directions import closed_form_directions, pca_directions
from tfgan_zoo.latents.interpolation import interpolate
from tfgan_zoo.latents.inversion import Inversion, invert, project_styles
from tfgan_zoo.latents.neighbours import Neighbours, nearest
from tfgan_zoo.latents.styles import mix_styles, truncate_styles
from tfgan_zoo.latents.traversal import along, traversal
from tfgan_zoo.latents.truncation import truncate, truncated

__all__ = [
    "Direction",
    "Inversion",
    "Neighbours",
    "along",
    "arithmetic",
    "attribute_direction",
    "closed_form_directions",
    "flip_attribute",
    "interpolate",
    "invert",
    "lerp",
    "mix_styles",
    "nearest",
    "pca_directions",
    "project_styles",
    "slerp",
    "traversal",
    "truncate",
    "truncate_styles",
    "truncated",
    "turn",
]
