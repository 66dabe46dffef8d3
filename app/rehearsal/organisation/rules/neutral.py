"""Functions that touch no house rule: the everyday code that reviewers leave alone."""

from app.rehearsal.organisation.rules.shape import parse_shapes

NEUTRAL = parse_shapes(
    '''
 def group_$nouns_$qual($nouns):
     """The $things by port, each list in order of arrival."""
     groups = {}
     for $noun in sorted($nouns, key=plans.by_arrival):
         groups.setdefault($noun.port, []).append($noun)
     return groups
---
 def near_$nouns_$qual($nouns, miles):
     """The $things around $port, the heaviest first."""
     near = [$noun for $noun in $nouns if $noun.miles < miles]
     near.sort(key=plans.by_weight, reverse=True)
     return near[:$n]
---
 def title_of_$noun_$qual($noun):
     """What stands on the board for one $words."""
     name = $noun.name or "unnamed"
     port = $noun.port or "$port"
     return f"{name} ({port})"
---
 def show_$noun_$qual($noun, board):
     """Write the $words on the board at the gate."""
     row = board.next_row()
     board.write("$port", row, $noun.number)
     $noun.row = row
---
 def room_for_$noun_$qual($noun, deck):
     """How much of the deck is left beside the $words."""
     taken = deck.used + $noun.length // $n
     left = deck.length - taken * 2
     return max(left, 0)
---
 def speed_of_$noun_$qual($noun, hours):
     """How fast the $words has come from $port, in knots."""
     miles = $noun.log_end - $noun.log_start
     knots = miles / max(hours, 1)
     return round(knots)
---
 def depth_for_$noun_$qual($noun, tide):
     """Whether the $words floats at $port at one tide."""
     keel = $noun.keel + $noun.length // $n
     depth = tide.height - keel
     return depth > tide.least
---
 def row_of_$noun_$qual($noun, board):
     """Where the $words stands on the board at $port."""
     rows = board.rows_at("$port")
     row = rows.get($noun.number)
     return row or board.next_row()
---
 def call_sign_of_$noun_$qual($noun):
     """The call sign of the $words, as the radio wants it."""
     sign = $noun.sign.replace("-", "")
     letters = [letter for letter in sign if letter.isalpha()]
     return " ".join(letters)
---
 def join_$noun_$qual(first, second):
     """One $words out of two that share a number."""
     joined = first.copy()
     joined.tonnes = first.tonnes + second.tonnes
     joined.notes = [*first.notes, *second.notes]
     return joined
---
 def ready_$nouns_$qual($nouns):
     """Whether every one of the $things may leave $port."""
     for $noun in $nouns:
         if $noun.held or not $noun.ready:
             return False
     return True
---
 def swap_$noun_$qual($noun, other):
     """Let two ships trade their places in the queue."""
     mine, theirs = $noun.place, other.place
     $noun.place = theirs
     other.place = mine
     return $noun, other
''',
    '''
 def rank_$nouns_$qual($nouns):
     """Number the $things by how long they stay at $port."""
     ranked = sorted($nouns, key=lambda $noun: $noun.stay)
     for place, $noun in enumerate(ranked, start=$n):
         $noun.place = place
     return ranked
---
 def keel_of_$noun_$qual($noun, tide):
     """How deep the $words lies with its load, and at the least."""
     empty = $noun.draught
     loaded = empty + $noun.length // $n
     return max(loaded, tide.least)
---
 def draught_of_$noun_$qual($noun, tide):
     """How deep the $words lies at one tide, $n at most."""
     for step in tide.steps($n):
         if step.depth > $noun.draught:
             return step.depth
     return $noun.draught
---
 def notes_of_$noun_$qual($noun):
     """The remarks on the $words, without repeats."""
     seen = []
     for note in $noun.notes:
         if note not in seen:
             seen.append(note)
     return seen
''',
)
