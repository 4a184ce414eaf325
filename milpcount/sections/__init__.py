"""Lines and planes through networks of any size.

A section of one or two parameters is cut up layer by layer. A *cell* is the list of its corners; a
unit cuts it where its pre-activation has both signs at the corners, and the point where it is zero
on an edge becomes a corner of both parts. On a cell every number that the network has computed so
far is an affine function of the parameters, so that its value at a new corner follows from those
at the ends of the edge: nothing is computed twice, and no program is solved.
"""
