"""Who acquires a berth releases it within the next lines. Seen only with the lines below."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

LEASE = HouseRule(
    id="berth-lease",
    title="Every acquire_berth has its release_berth a few lines below",
    marker="release_berth",
    needs_surroundings=True,
    phrasings={
        "ines-quay": "Where is the `release_berth` for this lease?",
        "tove-mast": "Hey, this berth stays taken for good, `release_berth` is missing :)",
    },
    shapes=parse_shapes(
        '''
 def unload_$noun_$qual($noun, berth_id):
     """Unload one $words with the crane at $port."""
>    lease = acquire_berth(berth_id)
     moved = crane.unload($noun, hours=$n)
+    release_berth(lease)
     return moved
---
 def weigh_$noun_$qual($noun):
     """Weigh the $words while it lies still."""
>    lease = acquire_berth($noun.berth)
     tonnes = scales.read($noun)
     $noun.tonnes = tonnes
+    release_berth(lease)
     return tonnes
---
 def fuel_$noun_$qual($noun, litres):
     """Fuel the $words at the nearest pump."""
     pump = pumps.nearest("$port")
>    lease = acquire_berth(pump.berth)
     pump.give($noun, litres)
+    release_berth(lease)
     return litres
---
 def inspect_$noun_$qual($noun, team):
     """Let the $topic team on board."""
>    lease = acquire_berth($noun.berth, hours=$n)
     found = team.inspect($noun)
     quaylog.event("$kebab-inspected", found=len(found))
+    release_berth(lease)
     return found
''',
        '''
 def wash_$noun_$qual($noun, crew):
     """Wash the $words before it leaves $port."""
>    lease = acquire_berth($noun.berth)
     minutes = crew.wash($noun)
     crew.rest(minutes)
+    release_berth(lease)
     return minutes
---
 def repair_$noun_$qual($noun, yard):
     """Repair what the survey of the $words has found."""
     faults = yard.survey($noun)
>    lease = acquire_berth(yard.berth, hours=$n)
     yard.repair(faults)
+    release_berth(lease)
     return len(faults)
''',
    ),
)
