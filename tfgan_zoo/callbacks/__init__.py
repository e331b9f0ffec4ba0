"""Keras callbacks for any generative model: look at it, score it, keep it, draw its curves, show how long it takes."""

from tfgan_zoo.callbacks.checkpoint import Checkpoint as Checkpoint
from tfgan_zoo.callbacks.checkpoint import check_finite as check_finite
from tfgan_zoo.callbacks.checkpoint import write_history as write_history
from tfgan_zoo.callbacks.clocks import Clock as Clock
from tfgan_zoo.callbacks.clocks import Minutes as Minutes
from tfgan_zoo.callbacks.looking import Evaluate as Evaluate
from tfgan_zoo.callbacks.looking import SampleGrid as SampleGrid
from tfgan_zoo.callbacks.progress import Curves as Curves
from tfgan_zoo.callbacks.progress import Progress as Progress
from tfgan_zoo.callbacks.rates import LinearDecay as LinearDecay
from tfgan_zoo.doctor import Doctor as Doctor
from tfgan_zoo.profiling import Profile as Profile
