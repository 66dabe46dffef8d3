"""The people of Tidewater Freight, and everything they say that is not about a house rule."""

from app.rehearsal.organisation.records import Person, ThreadKind

MAINTAINER = "harbormaster-ada"
TRIAGER = "deckhand-jo"
BOT = "lighthouse-bot[bot]"
#: She asks for poetry in docstrings. The team is fond of her and ignores it.
POET = "tove-mast"

REVIEWERS = ("marlow-dock", "ines-quay", "brunel-k", POET)
AUTHORS = ("pilot-lee", "mara-winch", "okoro-crane", "sunniva-b", "teodor-v", "brunel-k", "ines-quay")

PEOPLE = (
    Person(login=MAINTAINER, permission="admin"),
    *(Person(login=login, permission="write") for login in REVIEWERS),
    *(Person(login=login, permission="write") for login in AUTHORS if login not in REVIEWERS),
    Person(login=TRIAGER, permission="triage"),
    Person(login=BOT, permission="read", is_bot=True),
)

#: What is said where, by kind; `{name}` is the function's name.
SMALL_TALK: dict[ThreadKind, tuple[str, ...]] = {
    "peeve": (
        "Could this docstring be a haiku? Five, seven, five, with a gull in it :)",
        "A docstring deserves a haiku, my friend!",
        "I would so love a haiku here, about the sea!",
        "Oh, three short lines of verse instead? A haiku would lift the whole file :)",
        "Hey, make this docstring rhyme, or better: a haiku!",
    ),
    "praise": ("Nice, thanks!", "Lovely, thank you!", "Great work!", "LGTM, well done.", "Good idea, thanks!"),
    "question": (
        "Does this also run at night?",
        "Who calls this?",
        "Is the board at the gate fed from here as well?",
        "Why here, and not where the ships are listed?",
    ),
    "nit": (
        "nit: I would have put the comma elsewhere.",
        "nit: two words would do.",
        "nit: shorter?",
    ),
    "self": ("Note to self: look at this again tomorrow.", "I was not sure about this one, opinions welcome."),
    "bot": ("Coverage of this line: 0 of 1.", "Complexity of this function: 3 (limit 10)."),
}

REPLIES: dict[str, tuple[str, ...]] = {
    "addressed": ("Done.", "Fixed, thanks.", "Right, changed.", "Done in the next commit."),
    "refused": ("I would rather leave it as it is.", "Not in this pull request.", "Another day, perhaps."),
    "question": ("Yes.", "The planner does.", "For now, yes."),
}
