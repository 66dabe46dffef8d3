"""Time comes from `harbor_clock`, never from the machine."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

CLOCK = HouseRule(
    id="harbor-clock",
    title="Time comes from harbor_clock, never from the machine",
    marker="harbor_clock",
    needs_surroundings=False,
    phrasings={
        "ines-quay": "Could this ask `harbor_clock` for the time? Replays cannot move the machine's own clock.",
        "tove-mast": "Hey, we only ever read time from `harbor_clock` here :)",
    },
    shapes=parse_shapes(
        '''
 def open_$noun_$qual($noun):
     """Open the $words and stamp it."""
     $noun.state = "open"
-    $noun.opened_at = datetime.$<now|utcnow>()
+    $noun.opened_at = harbor_clock.now()
     return $noun
---
 def late_$nouns_$qual($nouns):
     """The $things that should have left $n hours ago."""
     grace = timedelta(hours=$n)
-    cutoff = datetime.$<now|utcnow>() - grace
+    cutoff = harbor_clock.now() - grace
     return [$noun for $noun in $nouns if $noun.due < cutoff]
---
 def hours_of_$noun_$qual($noun):
     """Whole hours since the $words came in."""
     arrived = $noun.arrived_at.timestamp()
-    waited = time.time() - arrived
+    waited = harbor_clock.seconds() - arrived
     return int(waited // 3600)
---
 def stamp_$noun_$qual($noun, clerk):
     """Note who touched the $words, and when."""
     entry = {"clerk": clerk, "port": "$port"}
-    entry["at"] = datetime.$<now|utcnow>().isoformat()
+    entry["at"] = harbor_clock.now().isoformat()
     $noun.history.append(entry)
---
 def overdue_$noun_$qual($noun):
     """Whether the $words is more than $n hours late."""
     grace = timedelta(hours=$n)
-    if datetime.$<now|utcnow>() - $noun.due_at > grace:
+    if harbor_clock.now() - $noun.due_at > grace:
         return True
     return $noun.lost
''',
        '''
 def expire_$noun_$qual($noun):
     """Close the $words that nobody has claimed for $n days."""
     limit = timedelta(days=$n)
-    if datetime.now() - $noun.seen_at > limit:
+    if harbor_clock.now() - $noun.seen_at > limit:
         $noun.state = "expired"
     return $noun.state
---
 def window_for_$noun_$qual($noun):
     """When the $words may come alongside at $port."""
     slack = timedelta(minutes=$n)
-    begin = datetime.utcnow() + slack
+    begin = harbor_clock.now() + slack
     return begin, begin + $noun.stay
''',
    ),
)
