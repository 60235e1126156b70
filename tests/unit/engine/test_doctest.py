"""Examples and docstrings of the engine's documentation."""

import doctest
import importlib
import pkgutil
import pydoc

import pytest

import engine

MODULES = sorted(m.name for m in pkgutil.iter_modules(engine.__path__, "engine."))
WITH_EXAMPLES = {"engine._core", "engine.network"}
COMPILED = [engine.Engine, engine.Context, engine.Event]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    module = importlib.import_module(name)
    failed, attempted = doctest.testmod(module)
    assert failed == 0
    assert bool(attempted) == (name in WITH_EXAMPLES)


def test_help_of_the_engine_explains_every_parameter_and_method():
    text = pydoc.render_doc(engine.Engine, renderer=pydoc.plaintext)
    for word in ("network", "seed", "tunnel_limit", "window_ps", "scheduling", "record", "memory_limit_bytes"):
        assert f" {word} : " in text
    assert ">>> result = Engine(net).run(" in text


@pytest.mark.parametrize("cls", COMPILED)
def test_every_public_method_has_a_docstring(cls):
    public = {n: m for n, m in vars(cls).items() if not n.startswith("_") and callable(m)}
    assert cls.__doc__
    assert [n for n, m in public.items() if not m.__doc__] == []
