"""The end of a training step in PyTorch, as the templates have it: gradient, clipping, Adam, the average of weights."""

import torch

# Adam's, where PyTorch has 1e-8, and how its second average forgets.
EPSILON, SECOND_MOMENTUM = 1e-7, 0.999


class Steps:
    """Takes steps on a module's weights, with PyTorch's fused Adam.

    Args:
        module: The module.
        clip_norm: The largest global norm of a gradient.
        weight_average: The momentum of the average of the weights, which begins lower.
    """

    def __init__(self, module: torch.nn.Module, clip_norm: float, weight_average: float):
        self.parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.averages = [parameter.detach().clone() for parameter in self.parameters]
        self.optimizer = torch.optim.Adam(self.parameters, betas=(0.9, SECOND_MOMENTUM), fused=True)
        self.clip_norm, self.weight_average, self.taken = clip_norm, weight_average, 0

    def take(self, loss: torch.Tensor, learning_rate: float) -> torch.Tensor:
        """Takes a step that makes the loss smaller; gives the loss, from before it."""
        self.taken += 1
        # Keras adds epsilon before it corrects the second average for its start from 0, PyTorch after it.
        epsilon = EPSILON / (1 - SECOND_MOMENTUM**self.taken) ** 0.5
        self.optimizer.param_groups[0].update(lr=learning_rate, eps=epsilon)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        momentum = min(self.weight_average, (1 + self.taken) / (10 + self.taken))
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.parameters, 1 - momentum)
        return loss.detach()
