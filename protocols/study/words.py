"""Say on the page what was done and how the figures are meant."""

TOLERANCE = (
    "Quality is 1 for the digital baseline and 0 for the noise that sampling begins with, on a line in "
    "the sliced Wasserstein distance to the baseline (below 0 it is farther away than that noise); the "
    "distance of digital sets of the same size counts as none. Tolerance is the noise of writing at which "
    "the mean over macros has lost a tenth. The interval is that of resampled macros (bootstrap, 95 %). A "
    "stricter measure stands in the tables: the distance to the data a tenth larger than without noise of "
    "writing."
)
IDEAL = (
    "Every written conductance, reference cells included, is multiplied by 1 + σ n once per macro; one "
    "cell per weight, no trimming. Read noise is relative too, σ that of a 1 ms reading, with equal parts "
    "in every decade from 1 us to 100 s (1/f). Bars are standard errors over macros, dots are macros."
)
DEVICE = (
    "Networks are programmed by write-verify in three passes and sampled in the simulated loop, with all "
    "of its other errors. The factor of writing multiplies relaxation, drift and the spread of pulses, "
    "that of reading the 1/f noise and the telegraph noise of the cells, also while they are verified; 1 "
    "is the device as it is."
)
LIFE = (
    "The device as it is. A pass writes all cells, waits 60 s and reads them; the next one writes those "
    "again that relaxed. The wait begins when programming has ended. A batch of samples takes five "
    "minutes of the bench, and the last 60 s of programming are a wait already, so that a wait of seconds "
    "shows the macro at an age of minutes."
)
BASELINE = (
    "Euler integration in 500 steps of the same network, without noise. Floor: digital sets of the same size."
)
