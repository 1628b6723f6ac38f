"""Write `audio.json`: what the reference answers to `audio_cases`.

python tests/golden/make_audio.py    # in an environment with torch==2.13.0 transformers==4.36.2
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from audio_cases import cases, summary


def main() -> None:
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        answers = {name: summary(answer()) for name, answer in cases("transformers", Path(folder))}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    (Path(__file__).parent / "audio.json").write_text("{\n" + text + "\n}\n")
    print(len(answers), "answers")


if __name__ == "__main__":
    main()
