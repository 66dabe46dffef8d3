"""Where a learning round is computed: here, as a Kubernetes Job, on a rented machine, or at a hosted service.

One interface (`running.Runner`): it gets the folders of a TrainingTask and returns when the run's folder is whole. Its
name follows from what decides its outcome, so a restarted service finds its own running job again by that name.
Plans are pure (`kubernetes_job`, `skypilot_task`, `buckets`, `hosted_dialects`), acts are thin, and what comes back is
proven before it is believed (`returned`).

Covered: changed, missing and added files, another snapshot, base or installation, a verdict about another adapter. Not
covered: a place that computes wrongly on purpose can make a run that agrees with itself; the serving probe and the
gate's figures are then all that stands between it and a review.
"""
