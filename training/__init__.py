"""Recipes, evaluation and the gate. Sync; knows no database and no GitHub key; talks in files."""
