"""The mixed-integer formulation of a network, as plain arrays."""
