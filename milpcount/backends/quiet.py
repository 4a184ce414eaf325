"""Keeps what a C library writes to stderr from the user, for a moment."""

import os
import sys
import threading


class QuietStderr:
    """Sends file descriptor 2 to nowhere until it is released.

    SCIP complains there about an event that MathOpt asks for in vain, and its simplex about a
    tolerance that SCIP itself chose; there is no option for either.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        sys.stderr.flush()
        self._saved = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)

    def release(self) -> None:
        """Give stderr back; at any time, from any thread, and more than once."""
        with self._lock:
            if self._saved >= 0:
                os.dup2(self._saved, 2)
                os.close(self._saved)
                self._saved = -1
