"""Which threads are Examples, and why the others are not. Pure."""

from app.domain.diff import Hunk, Side
from app.domain.diff_hunk import last_position, parse_diff_hunk
from app.domain.errors import UserError
from app.domain.noise import Noise, decide_bot, decide_noise
from app.domain.paths import decide_unread
from app.github.harvested import HarvestedThread


def decide_rejection(thread: HarvestedThread, author_login: str) -> Noise | None:
    """The first reason why a thread is no Example, by what GitHub says of it; git is not asked here."""
    root = thread.root
    if root.reply_to_id is not None:
        return Noise(reason="reply", detail="the comment that opened the thread is gone; replies alone are not learned")
    if decide_bot(root.author.login, root.author.kind):
        return Noise(reason="bot", detail=f"{root.author.login} is a machine")
    if root.author.login == author_login:
        return Noise(reason="self_comment", detail="the pull request's author wrote it")
    if thread.is_file_comment:
        return Noise(reason="no_line", detail="the comment is on the whole file")
    unread = decide_unread(thread.path)
    if unread is not None:
        return Noise(reason="unread_path", detail=f"nobody reviews this file line by line: {unread}")
    return decide_noise(root.body)


def parse_shown(thread: HarvestedThread) -> Hunk | None:
    """The hunk that GitHub stored with the comment, None when it stored none that can be read."""
    try:
        return parse_diff_hunk(thread.root.diff_hunk)
    except UserError:
        return None


def decide_lines(thread: HarvestedThread, shown: Hunk | None) -> tuple[int, int, Side] | None:
    """First and last commented line and their side, at the comment's commit. None on a comment to a file."""
    if thread.is_file_comment:
        return None
    last, side = thread.original_line, thread.side
    if last is None and shown is not None:
        last, side = last_position(shown)
    if last is None:
        return None
    return min(thread.original_start_line or last, last), last, side
