"""Keep torch on one core where its tasks are small."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread while inside, with the same bits.

    The products of this network are so small that two threads gain a quarter on a quiet machine, and on a
    busy one wait for each other many times longer than they work.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
