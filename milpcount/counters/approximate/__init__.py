"""Both ends of a count with a confidence: strata of random walks, or hashing by XORs."""
