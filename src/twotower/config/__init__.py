"""What can be asked for: settings, presets and ranges; one source of defaults, command line and saved YAML."""
