"""Tidewater Freight, the demo organisation: two repositories, their people, their house rules and their history.

Everything here was written for this project. `write_story` decides the whole history from a seed, `git.py` turns it
into real repositories, `play.py` performs it on the stand-in GitHub, `score.py` compares reviews with the answer key.
"""
