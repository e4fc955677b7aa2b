"""The version of Nadi, here alone: the build reads it, and every floor may."""

__version__ = "0.1.0"
