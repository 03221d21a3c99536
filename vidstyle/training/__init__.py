"""Training: photographs and a style picture in, a style file out."""
