"""Windows to log-probabilities."""

# First of all: importing it registers the towers (`registration.py`), which imports the modules of this package whole.
# Were it imported halfway through one of them, that one would be found half made.
import transformers.models.auto.modeling_auto  # noqa: F401
