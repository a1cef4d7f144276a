"""Diffusion mathematics: score networks, schedules, training, the digital baseline and quality metrics.

Importing this package needs numpy only; `train`, `loss` and `sampler` import torch when they are imported.
"""

from rramlab.diffusion.network import ScoreWeights, forward, network_inputs, score, time_embedding
from rramlab.diffusion.schedule import VpSchedule
from rramlab.diffusion.store import load_weights, ring_weights, save_weights

__all__ = [
    "ScoreWeights",
    "VpSchedule",
    "forward",
    "load_weights",
    "network_inputs",
    "ring_weights",
    "save_weights",
    "score",
    "time_embedding",
]
