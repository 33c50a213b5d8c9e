"""One run: what each tower knows, by the field's own instruments."""
