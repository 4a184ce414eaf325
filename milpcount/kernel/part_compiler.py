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


class Whole(JITCodeLibrary):  # type: ignore[misc]
    """A function that Python calls, with all that it calls made its own.

    What is linked in could be called from elsewhere, for all that LLVM knows, so that it would keep
    every argument of every function: an array is seven to eleven words, a state hundreds, and most
    functions read a few of them. Of internal functions it drops the arguments that are not read,
    and those that are called once it puts where they are called.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.enable_object_caching()  # as numba does where it makes a library
        self._own: set[str] = set()

    def add_llvm_module(self, ll_module: Any) -> None:
        """Remember which functions are called from outside, as numba adds them."""
        self._own |= {f.name for f in ll_module.functions if not f.is_declaration}
        super().add_llvm_module(ll_module)

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.name not in self._own:
                function.linkage = "internal"
        super()._optimize_final_module()


@register_pass(mutates_CFG=False, analysis_only=True)
class _AsPart(AnalysisPass):  # type: ignore[misc]
    """Choose the library that the lowering of a function fills."""

    _name, _library = "as_part", Part

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = self._library(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


@register_pass(mutates_CFG=False, analysis_only=True)
class _AsWhole(_AsPart):
    _name, _library = "as_whole", Whole


class PartCompiler(CompilerBase):  # type: ignore[misc]
    """numba's own compiler, but for the library that a function goes to."""

    _library: Any = _AsPart

    def define_pipelines(self) -> list[Any]:
        """Return numba's passes and one more, just before the lowering."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(self._library, AnnotateTypes)
        passes.finalize()
        return [passes]


class WholeCompiler(PartCompiler):
    """The same for functions that Python calls."""

    _library = _AsWhole
