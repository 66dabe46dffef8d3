"""Events are kebab-case constants and go through `quaylog`."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

QUAYLOG = HouseRule(
    id="quaylog-events",
    title="Events are kebab-case constants and go through quaylog",
    marker="quaylog",
    needs_surroundings=False,
    phrasings={
        "brunel-k": "Free text cannot be counted, so this belongs into `quaylog.event` with a kebab-case name.",
        "tove-mast": "Hey, nobody reads this stream any more :) `quaylog`, please!",
    },
    shapes=parse_shapes(
        '''
 def free_$noun_$qual($noun):
     """Free the $words and say so."""
     $noun.state = "free"
-    $<logger.info|print>(f"$words {$noun.number} freed at $port")
+    quaylog.event("$kebab-freed", number=$noun.number)
     return $noun
---
 def skip_$noun_$qual($noun, why):
     """Leave the $words out of today's plan."""
     $noun.skipped = True
-    $<print("skipped $words", $noun.number, why)|print(f"skipped {$noun.number}: {why}")>
+    quaylog.event("$kebab-skipped", number=$noun.number, why=why)
     return $noun
---
 def heavy_$nouns_$qual($nouns):
     """Count the $things that weigh too much for $port."""
     heavy = [$noun for $noun in $nouns if $noun.tonnes > $n]
     if heavy:
-        $<logger.warning("%d heavy $things", len(heavy))|print(f"{len(heavy)} heavy $things")>
+        quaylog.event("heavy-$kebabs-found", count=len(heavy))
     return len(heavy)
---
 def merge_$nouns_$qual(ours, theirs):
     """One list of $things; the word of $port wins."""
     merged = {**ours, **theirs}
-    $<logger.info|print>(f"merged {len(merged)} $things")
+    quaylog.event("$kebabs-merged", count=len(merged))
     return merged
''',
        '''
 def reroute_$noun_$qual($noun, port):
     """Send the $words to another port."""
     before = $noun.port
     $noun.port = port
-    logger.info(f"rerouted {$noun.number} from {before}")
+    quaylog.event("$kebab-rerouted", number=$noun.number)
     return before
---
 def newest_$nouns_$qual($nouns):
     """Keep the newest $words of every number."""
     newest = {$noun.number: $noun for $noun in $nouns}
     lost = len($nouns) - len(newest)
-    print(f"dropped {lost} double $things")
+    quaylog.event("double-$kebabs-dropped", count=lost)
     return list(newest.values())
''',
    ),
)
