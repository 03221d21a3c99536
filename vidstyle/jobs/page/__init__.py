"""An evaluation as one HTML file: the only place that knows Jinja."""
