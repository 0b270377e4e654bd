"""What a net answers, as long as it is numbers."""

import math

from edge.errors import ModelError
from edge.ports import Floats, Net, Pixels


def answers(net: Net, crop: Pixels) -> tuple[Floats, ...]:
    """The outputs of `Net.run`; raises ModelError when one holds a number that is none.

    Such an answer must not read as "nobody is there".
    """
    outputs = net.run(crop)
    if not math.isfinite(sum(float(output.sum()) for output in outputs)):
        raise ModelError(f"{net.spec.name} answered with a number that is none.")
    return outputs
