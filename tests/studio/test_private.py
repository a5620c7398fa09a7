"""What is done stays on the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAY = """
from backbeat.studio.engine import Studio
from backbeat.studio.store import Store
studio = Studio(Store(None))
job = studio.start(studio.store.blank("x", 2).id, None, {"type": "generate", "takes": 1})
assert job.ended.wait(60) and job.state == "done", job.error
"""


@pytest.mark.slow
def test_nothing_is_written_for_somebody_else(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY" and not name.startswith("XDG_")}
    subprocess.run([sys.executable, "-c", PLAY], env=kept | {"HOME": str(tmp_path)}, check=True, timeout=120)
    written = [path.relative_to(tmp_path).parts for path in tmp_path.rglob("*") if path.is_file()]
    assert written and all("backbeat" in parts for parts in written), "a runtime that reports keeps a number of this machine"
