"""The public names of `import twotower`, for notebooks and scripts; `docs/python.md` tells how to use them."""
