"""Fixtures that more than one folder of tests uses."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres", "tests.serving_fixture"]

# How fast a machine makes up inputs says nothing about the code: two cores may be busy with a model server.
settings.register_profile("understudy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("understudy")
