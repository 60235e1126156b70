"""Sphinx configuration of the documentation site: ``uv run --group docs sphinx-build -W -b html docs build/site``."""

import handoff

project = "Handoff"
author = "the Handoff authors"
release = handoff.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build", "jupyter_execute"]

smartquotes = False  # options begin with two hyphens
html_theme = "furo"
html_title = "Handoff"
html_copy_source = False

myst_heading_anchors = 3  # links to headings work as on a Git server
nb_execution_mode = "force"  # tutorials run at every build, so that their figures are true
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "remove"  # progress bars

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False


def point_at_examples(app, name, source):
    """Make paths in the notebook of ``examples/python`` hold in the folder that it is linked into."""
    if name == "tutorials/study":
        source[0] = source[0].replace("../commute.toml", "../../examples/commute.toml")


def setup(app):
    """Connect the event handlers."""
    app.connect("source-read", point_at_examples)
