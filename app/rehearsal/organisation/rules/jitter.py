"""No sleep in a loop without `jittered` above it. Seen only with the lines above."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

JITTER = HouseRule(
    id="jittered-pauses",
    title="A sleep in a loop takes its pause from jittered",
    marker="jittered",
    needs_surroundings=True,
    phrasings={
        "tove-mast": "Oh, this pause is not `jittered` yet!",
        "marlow-dock": "Pause must be `jittered`.",
    },
    shapes=parse_shapes(
        '''
 def poll_$noun_$qual(feed):
     """Wait until the feed has the $words, or give up."""
     for attempt in range($n):
         if feed.ready("$kebab"):
             return feed.take()
-        pause = 2 ** attempt
+        pause = jittered(2 ** attempt)
>        time.sleep(pause)
     return None
---
 def retry_$noun_$qual($noun, pause):
     """Offer the $words to $port until it is taken."""
     for _ in range($n):
         if $noun.offer("$port"):
             return True
+        pause = jittered(pause)
>        time.sleep(pause)
     return False
---
 def drain_$nouns_$qual(queue):
     """Send the waiting $things, not all in one second."""
-    pause = PAUSE_SECONDS
+    pause = jittered(PAUSE_SECONDS)
     for $noun in queue:
         $noun.send()
>        time.sleep(pause)
     return len(queue)
---
 def watch_$noun_$qual($noun, radar, pause):
     """Follow the $words on the radar of $port for a while."""
+    pause = jittered(pause)
     for turn in range($n):
         $noun.place = radar.find($noun, turn)
>        time.sleep(pause)
     return $noun.place
''',
        '''
 def hail_$noun_$qual($noun, radio):
     """Call the $words on the radio until it answers."""
-    pause = PAUSE_SECONDS
+    pause = jittered(PAUSE_SECONDS)
     for channel in radio.channels("$port"):
         answer = channel.call($noun.number)
>        time.sleep(pause)
     return answer
---
 def await_$noun_$qual($noun, lock):
     """Wait at the lock until there is room for the $words."""
     for turn in range($n):
         if lock.has_room($noun):
             return turn
-        pause = turn + 1
+        pause = jittered(turn + 1)
>        time.sleep(pause)
     return None
''',
    ),
)
