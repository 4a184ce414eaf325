"""Proofs of counts that a stand-alone program verifies, both ends; see ``docs/proofs.md``.

`check` is that program. It imports nothing of this package; the writer uses its arithmetic to see
what is proved.
"""
