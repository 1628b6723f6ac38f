"""Records what the reference's processors of data do, for tests/data/test_processors.py.

python tests/golden/make_data.py        # needs transformers 4.36.2, scikit-learn and scipy
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import types
from pathlib import Path

os.environ["DATA_LIBRARY"] = "transformers"
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.data import processor_cases as cases  # noqa: E402


def mend_numpy() -> None:
    """Gives the reference the `where` of NumPy 1, which took a plain truth value; it calls it with one."""
    import numpy as np
    from transformers.data.processors import squad

    own = types.SimpleNamespace(**{name: getattr(np, name) for name in dir(np) if not name.startswith("__")})
    own.where = lambda condition: np.where(np.atleast_1d(condition))
    squad.np = own


def main() -> None:
    mend_numpy()
    lines = []
    for name, case in cases.CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            answer = json.dumps(cases.plain(case(Path(folder))), ensure_ascii=False)
        lines.append(f"{json.dumps(name)}: {answer}")
    # One line per case, so that a change shows as one.
    (HERE / "data.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
