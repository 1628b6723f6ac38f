"""The library's logging."""

from __future__ import annotations

import io
import logging as standard
import os
import subprocess
import sys
import warnings

import pytest

import isoform
from isoform.utils import logging


@pytest.fixture(autouse=True)
def restored():
    """Leaves the loggers as they were."""
    root = logging.get_logger()
    level, handlers, propagate = root.level, list(root.handlers), root.propagate
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    root.propagate = propagate
    logging.reset_format()
    logging.captureWarnings(False)
    logging.enable_progress_bar()


@pytest.fixture
def shown():
    """What is written to a handler of the library's."""
    stream = io.StringIO()
    stream.handler = standard.StreamHandler(stream)
    logging.add_handler(stream.handler)
    return stream


def run(program, **environment):
    """Standard error of a program in a fresh process."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ISOFORM_", "TRANSFORMERS_")) and name != "CI"
    }
    done = subprocess.run(
        [sys.executable, "-c", f"from isoform.utils import logging; {program}"],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_is_documented_as_isoform_logging():
    assert isoform.logging is logging


def test_levels(shown):
    assert (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL) == (10, 20, 30, 40, 50)
    assert logging.FATAL == logging.CRITICAL and logging.WARN == logging.WARNING
    logger = logging.get_logger("isoform.some.module")
    for set_level, level in (
        (logging.set_verbosity_debug, 10),
        (logging.set_verbosity_info, 20),
        (logging.set_verbosity_warning, 30),
        (logging.set_verbosity_error, 40),
    ):
        set_level()
        assert logging.get_verbosity() == level == logger.getEffectiveLevel()
    logger.warning("hidden")
    logging.set_verbosity(logging.INFO)
    logger.info("seen")
    assert shown.getvalue() == "seen\n"


def test_names(shown):
    assert logging.get_logger().name == "isoform"
    assert logging.get_logger("transformers") is logging.get_logger()
    assert logging.get_logger("transformers.models.opt") is logging.get_logger("isoform.models.opt")
    assert logging.get_logger("transformers_extension").name == "transformers_extension"
    assert isinstance(logging.get_logger("mine"), standard.Logger)


def test_default_handler():
    program = (
        "root = logging.get_logger(); logging.disable_default_handler(); root.error('hidden');"
        "logging.enable_default_handler(); logging.enable_default_handler(); root.error('seen')"
    )
    assert run(program) == "seen\n"


def test_own_handlers():
    handler = standard.NullHandler()
    logging.add_handler(handler)
    assert handler in logging.get_logger().handlers
    logging.remove_handler(handler)
    with pytest.raises(ValueError, match="not a handler"):
        logging.remove_handler(handler)


def test_propagation():
    stream = io.StringIO()
    handler = standard.StreamHandler(stream)
    standard.getLogger().addHandler(handler)
    logger = logging.get_logger("isoform.some")
    logging.disable_propagation()
    logger.warning("kept")
    logging.enable_propagation()
    logger.warning("passed on")
    standard.getLogger().removeHandler(handler)
    assert stream.getvalue() == "passed on\n"


def test_explicit_format(shown):
    logging.enable_explicit_format()
    logging.get_logger("isoform.some").warning("here")
    assert shown.getvalue().startswith("[WARNING|test_logging.py:") and shown.getvalue().endswith(">> here\n")
    logging.reset_format()
    logging.get_logger("isoform.some").warning("plain")
    assert shown.getvalue().endswith("\nplain\n")


def test_warning_once(shown):
    logger = logging.get_logger("isoform.once")
    for argument in (1, 1, 2):
        logger.warning_once("value %s", argument)
    logging.get_logger("isoform.another").warning_once("value %s", 1)
    assert shown.getvalue() == "value 1\nvalue 2\nvalue 1\n"


def test_place_of_the_caller(shown):
    shown.handler.setFormatter(standard.Formatter("%(filename)s:%(funcName)s"))
    logging.get_logger("isoform.place").warning_once("x")
    logging.get_logger("isoform.place").warning_advice("x")
    assert shown.getvalue() == "test_logging.py:test_place_of_the_caller\n" * 2


@pytest.mark.parametrize("variable", ["TRANSFORMERS_NO_ADVISORY_WARNINGS", "ISOFORM_NO_ADVISORY_WARNINGS"])
def test_advice(shown, monkeypatch, variable):
    logger = logging.get_logger("isoform.advice")
    logger.warning_advice("first")
    monkeypatch.setenv(variable, "1")
    logger.warning_advice("second")
    monkeypatch.setenv(variable, "")
    logger.warning_advice("third")
    assert shown.getvalue() == "first\nthird\n"


def test_loggers_of_other_classes_get_the_methods_too(shown):
    class Special(standard.Logger):
        def shout(self):
            return "!"

    standard.setLoggerClass(Special)
    try:
        standard.getLogger("isoform.special")
    finally:
        standard.setLoggerClass(standard.Logger)
    logger = logging.get_logger("isoform.special")
    logger.warning_once("seen")
    assert logger.shout() == "!" and isinstance(logger, Special) and shown.getvalue() == "seen\n"


@pytest.mark.parametrize("variable", ["TRANSFORMERS_VERBOSITY", "ISOFORM_VERBOSITY"])
def test_verbosity_of_the_environment(variable):
    program = "logger = logging.get_logger('isoform.x'); logger.error('an error'); logger.info('some info')"
    assert run(program) == "an error\n"
    assert run(program, **{variable: "info"}) == "an error\nsome info\n"
    assert run(program, **{variable: "CRITICAL"}) == ""
    assert run(program, **{variable: "detail"}).startswith("[ERROR|")
    unknown = run(program, **{variable: "loud"})
    assert "Unknown verbosity 'loud'" in unknown and "an error" in unknown


def test_own_variable_wins():
    program = "print(logging.get_verbosity(), file=__import__('sys').stderr)"
    assert run(program, ISOFORM_VERBOSITY="error", TRANSFORMERS_VERBOSITY="debug") == "40\n"
    assert logging.get_log_levels_dict()["detail"] == 10


def test_ci_propagates():
    program = "print(logging.get_logger().propagate, file=__import__('sys').stderr)"
    assert run(program) == "False\n" and run(program, CI="true") == "True\n"


def test_capture_warnings():
    program = (
        "import warnings; logging.captureWarnings(True); logging.enable_explicit_format(); warnings.warn('one');"
        "logging.set_verbosity_error(); logging.captureWarnings(True); warnings.warn('two');"
        "logging.captureWarnings(False); warnings.warn('three')"
    )
    shown = run(program)
    assert "[WARNING|warnings.py:" in shown and "UserWarning: one" in shown
    assert "UserWarning: two" not in shown and "UserWarning: three" in shown
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("back to normal", stacklevel=1)
    assert len(caught) == 1


def test_progress_bars(capsys):
    from huggingface_hub.utils import are_progress_bars_disabled

    assert logging.is_progress_bar_enabled()
    assert list(logging.tqdm(range(3), desc="visible")) == [0, 1, 2]
    assert "visible" in capsys.readouterr().err
    logging.disable_progress_bar()
    assert not logging.is_progress_bar_enabled() and are_progress_bars_disabled()
    with logging.tqdm(range(3), desc="hidden") as bar:
        bar.set_postfix(loss=1)
        bar.update(2)
        assert list(bar) == [0, 1, 2]
    assert list(logging.tqdm()) == [] and capsys.readouterr().err == ""
    logging.enable_progress_bar()
    assert not are_progress_bars_disabled()


def test_loads_no_framework():
    run("import sys; logging.get_logger('x'); assert not {'torch', 'numpy', 'huggingface_hub'} & set(sys.modules)")
