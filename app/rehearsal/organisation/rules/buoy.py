"""Feature flags end with `_enabled` and are read through `buoy`."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

BUOY = HouseRule(
    id="buoy-flags",
    title="Feature flags end with _enabled and are read through buoy",
    marker="buoy",
    needs_surroundings=False,
    phrasings={
        "ines-quay": "Could this switch be read through `buoy`, with the `_enabled` ending?",
        "brunel-k": "A switch outside `buoy` cannot be turned at night; please name it `..._enabled` there.",
    },
    shapes=parse_shapes(
        '''
 def plan_$noun_$qual($noun):
     """Plan the $words, the new way where that is on."""
     plan = plans.standard($noun)
-    if $<settings.$FLAG|os.environ.get("$FLAG")>:
+    if buoy.on("$flag_enabled"):
         plan = plans.improved($noun)
     return plan
---
 def route_$noun_$qual($noun):
     """The way that the $words takes out of $port."""
-    if $<os.environ.get("$FLAG") == "1"|settings.$FLAG>:
+    if buoy.on("$flag_enabled"):
         return plans.short_way($noun)
     return plans.long_way($noun, days=$n)
---
 def queue_$noun_$qual($noun, queue):
     """Put the $words where it is served first."""
-    fast = settings.get("$flag", False)
+    fast = buoy.on("$flag_enabled")
     if fast:
         queue.insert(0, $noun)
     return fast
---
 def sort_$nouns_$qual($nouns):
     """Sort the $things for the board at $port."""
     key = plans.by_arrival
-    if buoy.on("$<use|new|with>_$flag"):
+    if buoy.on("$flag_enabled"):
         key = plans.by_weight
     return sorted($nouns, key=key)
---
 def count_$nouns_$qual($nouns):
     """Count the $things, open ones too where that is on."""
-    with_open = $<os.environ.get("$FLAG")|settings.$FLAG|settings.get("$flag", True)>
+    with_open = buoy.on("$flag_enabled")
     counted = [$noun for $noun in $nouns if with_open or $noun.closed]
     return len(counted)
---
 def tell_$noun_$qual($noun, desk):
     """Tell the desk at $port about the $words, at once where that is on."""
     note = desk.note($noun.number)
-    if $<buoy.on("$flag")|buoy.on("try_$flag")|settings.get("$flag", False)>:
+    if buoy.on("$flag_enabled"):
         note.send()
     return note
''',
        '''
 def crew_$noun_$qual($noun):
     """How many hands the $words gets at $port."""
     hands = plans.hands($noun)
-    if $<settings.$FLAG|os.environ.get("$FLAG")>:
+    if buoy.on("$flag_enabled"):
         hands = min(hands, $n)
     return hands
---
 def dispatch_$nouns_$qual($nouns):
     """Send the $things out, in one go where that is on."""
-    whole = settings.get("$flag", False)
+    whole = buoy.on("$flag_enabled")
     for batch in plans.batches($nouns, whole=whole):
         batch.send("$port")
     return whole
''',
    ),
)
