"""Where reviews stand, how often they repeat themselves, and how quiet they are: over pull requests that go on."""
