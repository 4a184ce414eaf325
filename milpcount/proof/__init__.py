"""Proofs of counts that a stand-alone program verifies, both ends; see ``docs/proofs.md``."""

from milpcount.proof.writing import check_covered, write_proof

__all__ = ["check_covered", "write_proof"]
