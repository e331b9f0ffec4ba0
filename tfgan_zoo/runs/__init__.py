"""The directory of a run, and the story every recipe tells: train, picture, score, export."""

from tfgan_zoo.export import compact as compact
from tfgan_zoo.runs.command import BUDGETS as BUDGETS
from tfgan_zoo.runs.command import FASHION as FASHION
from tfgan_zoo.runs.command import SHIPPED as SHIPPED
from tfgan_zoo.runs.command import recipe as recipe
from tfgan_zoo.runs.run import Run as Run
from tfgan_zoo.runs.run import collapse_in as collapse_in
