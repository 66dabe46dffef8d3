"""What is looked at before an hour is spent, and what a training will take; every known way to fail has its check.

rows_check         which rows are left out, and what refuses to be trained on at all
tokens_histogram   lengths and trained shares of the rows
checks             each check of rows, base and settings: a pure function that returns findings
golden_tokens      the tokenizer and template against the ids stored with the base
device             what this machine has
estimate           memory and time, pure
longest_batch      one forward and backward pass of the longest batch and of a typical one
actual             what a training really took
flight             all of it in order, as `preflight.json` and a few lines
failure_modes      the 24 known ways to fail, and where each is caught
"""
