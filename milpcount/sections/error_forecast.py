"""Whether bounds on errors can tell the signs of a network at all, before anything is cut."""

import numpy as np

from milpcount.sections.corners import Points
from milpcount.sections.program import Program


def bounds_may_tell(program: Program, points: Points) -> bool:
    """Return whether bounds on errors leave no sign open at given points.

    If they do so at a corner of a section, the cell there is one for which they cannot tell,
    however it has been cut by then. Units that jump, and maxima, are not looked at.

    Parameters
    ----------
    program : Program
    points : Points
        With the network's input, and bounds on its errors.
    """
    assert points.errors is not None
    arrays, values, errors = program.arrays, dict(points.values), dict(points.errors)
    with np.errstate(all="ignore"):
        for number, step in enumerate(program.steps):
            x, e = ([held[name] for name in step.reads] for held in (values, errors))
            if step.affine is not None:
                values[step.name], errors[step.name] = step.affine(x), step.affine.error(x, e)
            elif not step.is_continuous:
                return True
            else:
                for group in step.groups:
                    rows = () if group.activation.is_maxout else group.activation.rows
                    for row in rows:
                        signs = arrays.signs(x[0], e[0], group.values, row.threshold, 0.0)
                        if signs[2].any():
                            return False
                y = arrays.activate(step, x[0])
                errors[step.name] = arrays.unit_errors(step, x[0], e[0], y)
                values[step.name] = y if step.shape is None else step.shape(y)
            needed = program.needed(number + 1)
            for held in (values, errors):
                for name in [n for n in held if n not in needed]:
                    del held[name]
    return True
