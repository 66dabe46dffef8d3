"""Bringing a run back from a bucket, by the tools that SkyPilot itself uses for that store. Pure."""

from pathlib import Path

#: TRL's checkpoints are for the resume there; they are large, and they hold pickles that nobody here should open.
_LEFT_THERE = "checkpoints"


def fetch_folder_command(bucket: str, folder: str, target: Path) -> list[str]:
    """All of a folder but its checkpoints, over what is at `target`.

    AWS: https://docs.aws.amazon.com/cli/latest/reference/s3/sync.html · Google: `gcloud storage rsync --help`.
    """
    source = f"{bucket}/{folder}"
    if bucket.startswith("s3://"):
        return [
            "aws",
            "s3",
            "sync",
            "--no-progress",
            "--no-follow-symlinks",
            "--exclude",
            f"{_LEFT_THERE}/*",
            source,
            str(target),
        ]
    return ["gcloud", "storage", "rsync", "--recursive", "--exclude", f"^{_LEFT_THERE}/.*", source, str(target)]


def fetch_file_command(bucket: str, path: str, target: Path) -> list[str]:
    source = f"{bucket}/{path}"
    if bucket.startswith("s3://"):
        return ["aws", "s3", "cp", "--no-progress", source, str(target)]
    return ["gcloud", "storage", "cp", source, str(target)]


def delete_folder_command(bucket: str, folder: str) -> list[str]:
    source = f"{bucket}/{folder}"
    if bucket.startswith("s3://"):
        return ["aws", "s3", "rm", "--recursive", "--quiet", source]
    return ["gcloud", "storage", "rm", "--recursive", "--quiet", source]
