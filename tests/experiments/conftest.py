import sys
from pathlib import Path

# The experiments are not part of the installed package: they run from the project's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
