"""Figures and traces of this process, for whoever watches over it. Names and ids only: no text of anybody's passes."""
