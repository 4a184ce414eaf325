import numpy as np
class Projections:
    def __init__(self, network, inputs, closed): self.seeded=False
    def refute(self,P,i,u,k,clauses): return np.full(i.size,-2)
