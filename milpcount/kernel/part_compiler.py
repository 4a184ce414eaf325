"""Functions that are compiled only as parts of those that call them.

numba optimises every function together with all that it calls and turns it into machine code, and
does so again at every level of the calls. Python calls a handful of the kernel's functions: only
these need machine code, and one optimisation, of everything that was linked into them, is enough.
That takes less than half of the time to compile.
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.typed_passes import AnnotateTypes


class _NoMachineCode:
    """In the place of the code generator, which would look for a function's environment."""

    def set_env(self, name: str, environment: Any) -> None:
        """Leave it: the environment serves printing and object mode, and the kernel has neither."""


class Part(JITCodeLibrary):  # type: ignore[misc]
    """A function to be linked into its callers: neither optimised nor turned into machine code."""

    codegen = _NoMachineCode()

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0: there is nothing to point at."""
        self._ensure_finalized()
        return 0

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=True)
class _AsPart(AnalysisPass):  # type: ignore[misc]
    """Choose the library that the lowering of a function fills."""

    _name = "as_part"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = Part(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


class PartCompiler(CompilerBase):  # type: ignore[misc]
    """numba's own compiler, but for the library that a function goes to."""

    def define_pipelines(self) -> list[Any]:
        """Return numba's passes and one more, just before the lowering."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_AsPart, AnnotateTypes)
        passes.finalize()
        return [passes]
