"""The alias that makes `import transformers` mean isoform."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FAKE = "__version__ = '9.9'\nclass OPTModel: ...\n"


@pytest.fixture
def run(tmp_path):
    """Runs a program with the alias; a package called `transformers` is installed, too."""
    (tmp_path / "site" / "transformers").mkdir(parents=True)
    (tmp_path / "site" / "transformers" / "__init__.py").write_text(FAKE)
    information = tmp_path / "site" / "transformers-9.9.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: transformers\nVersion: 9.9\n")

    def run(program, *arguments, alias=True, status=0):
        script = tmp_path / "script.py"
        script.write_text(program)
        command = [sys.executable, *(["-m", "isoform.compat"] if alias else []), str(script), *arguments]
        path = os.pathsep.join([str(tmp_path / "site"), *sys.path])
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120, cwd=tmp_path
        )
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


def test_script(run):
    output = run(
        """
import sys, os
assert sys.path[0] == os.path.dirname(os.path.abspath(__file__))
import transformers
from transformers import OPTConfig
from transformers.utils import logging
print(__name__, sys.argv[1:], transformers.__version__, OPTConfig.__module__, logging.__name__)
""",
        "--flag",
        "value",
    )
    assert output == "__main__ ['--flag', 'value'] 4.36.2 isoform.models.opt.configuration_opt isoform.utils.logging\n"


def test_modules_are_the_same_objects(run):
    run(
        """
import importlib, importlib.util, sys
import transformers, transformers.utils, isoform
import transformers.models.opt.configuration_opt as theirs
import isoform.models.opt.configuration_opt as ours
assert theirs is ours and theirs.__name__ == theirs.__spec__.name == "isoform.models.opt.configuration_opt"
assert transformers.OPTConfig is isoform.OPTConfig is ours.OPTConfig
assert transformers.utils is isoform.utils and sys.modules["transformers.utils"] is isoform.utils
from transformers.utils.generic import ModelOutput
from transformers.file_utils import ModelOutput as Former
assert Former is ModelOutput is isoform.utils.ModelOutput
assert importlib.import_module("transformers.utils.hub") is isoform.utils.hub
assert importlib.util.find_spec("transformers.utils.versions").name == "transformers.utils.versions"
assert importlib.util.find_spec("transformers.nothing") is None
assert transformers.__spec__.name == transformers.__name__ == "transformers"
assert "OPTConfig" in dir(transformers)
"""
    )


def test_changes_reach_isoform(run):
    run(
        """
import transformers, isoform
from unittest import mock
with mock.patch("transformers.OPTConfig", 3):
    assert isoform.OPTConfig == 3
assert isinstance(isoform.OPTConfig, type)
transformers.mark = 1
assert isoform.mark == 1
del transformers.mark
assert not hasattr(isoform, "mark")
"""
    )


def test_unknown_names_are_ordinary_import_errors(run):
    run(
        """
for statement in (
    "import transformers.nothing",
    "from transformers.utils import nothing",
    "from transformers import nothing",
    "from transformers.models.nothing import X",
):
    try:
        exec(statement)
    except ImportError:
        continue
    raise SystemExit(statement)
"""
    )


def test_installed_version(run):
    program = "import importlib.metadata as m; print(m.version('transformers'), m.version('torch') != '')"
    assert run(program) == "4.36.2 True\n"
    assert run(program, alias=False) == "9.9 True\n"
    program = "import importlib.metadata as m; print(m.metadata('transformers')['Name'], m.requires('transformers'))"
    assert run(program) == "transformers None\n"


def test_context_manager(run):
    run(
        """
import isoform.compat as compat
with compat.install():
    with compat.install():  # the inner one ends without an effect
        pass
    from transformers import OPTConfig
    assert OPTConfig.__module__.startswith("isoform") and compat.is_installed()
assert not compat.is_installed()
import transformers
assert transformers.__version__ == "9.9"
try:
    compat.install()
except ImportError as error:
    assert "has been imported already, from" in str(error) and "isoform.compat.install()" in str(error)
else:
    raise SystemExit("no error")
compat.uninstall()  # nothing to do
""",
        alias=False,
    )


def test_star_import(run):
    run("from transformers import *\nassert OPTConfig.__module__.startswith('isoform') and PretrainedConfig")


def test_pickles_of_either_name(run):
    run(
        """
import pickle
from transformers import OPTConfig
data = pickle.dumps(OPTConfig)
assert b"isoform" in data and pickle.loads(data) is OPTConfig
assert pickle.loads(b"ctransformers.models.opt.configuration_opt\\nOPTConfig\\n.") is OPTConfig
"""
    )


def call(*arguments, folder=None):
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-m", "isoform.compat", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
    )


def test_module_and_code(tmp_path):
    (tmp_path / "program.py").write_text(
        "import sys, transformers\nprint(__name__, sys.argv[1:], transformers.__version__)"
    )
    assert call("-m", "program", "a", folder=tmp_path).stdout == "__main__ ['a'] 4.36.2\n"
    assert call("-c", "import sys, transformers; print(sys.argv, transformers.__version__)", "b").stdout == (
        "['-c', 'b'] 4.36.2\n"
    )


@pytest.mark.parametrize("arguments", [(), ("-m",), ("-x", "y")])
def test_wrong_calls(arguments):
    done = call(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("usage: python -m isoform.compat")


def test_help_and_missing_script():
    assert call("--help").stdout.startswith("usage:")
    done = call("no_such_script.py")
    assert done.returncode == 2 and "there is no file 'no_such_script.py'" in done.stderr


def test_exit_status_of_the_program(tmp_path):
    (tmp_path / "program.py").write_text("raise SystemExit(7)")
    assert call("program.py", folder=tmp_path).returncode == 7
