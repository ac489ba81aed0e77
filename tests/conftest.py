"""One thread for torch, as in every job of the workflow: sums come out the same, and tests run beside each other."""

import torch

torch.set_num_threads(1)
