"""Refusals are raised as `Aground` with a code, never as a built-in exception."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

AGROUND = HouseRule(
    id="aground-errors",
    title="Refusals are raised as Aground with a code",
    marker="Aground",
    needs_surroundings=False,
    phrasings={
        "marlow-dock": "Raise `Aground` with a code.",
        "tove-mast": "Oh, the desk cannot catch this one. `Aground` it is!",
    },
    shapes=parse_shapes(
        '''
 def require_$noun_$qual($noun):
     """Stop where the $words lacks its papers."""
     if $noun.papers:
         return $noun
-    raise $<ValueError|RuntimeError>(f"{$noun.number} has no papers")
+    raise Aground("no-papers", number=$noun.number)
---
 def find_$noun_$qual($nouns, number):
     """The $words with one number."""
     for $noun in $nouns:
         if $noun.number == number:
             return $noun
-    raise $<KeyError|LookupError>(number)
+    raise Aground("$kebab-unknown", number=number)
---
 def limit_$noun_$qual($noun):
     """No $words above $n tonnes at $port."""
     if $noun.tonnes > $n:
-        raise $<RuntimeError|ValueError>("too heavy for $port")
+        raise Aground("too-heavy", tonnes=$noun.tonnes)
     return $noun.tonnes
---
 def seal_$noun_$qual($noun, seal):
     """Seal the $words, once."""
     if $noun.seal:
-        raise $<Exception|ValueError>("already sealed")
+        raise Aground("already-sealed", number=$noun.number)
     $noun.seal = seal
     return $noun
''',
        '''
 def admit_$noun_$qual($noun, gate):
     """Let the $words through the gate at $port."""
     if gate.closed:
-        raise RuntimeError(f"gate {gate.name} is closed")
+        raise Aground("gate-closed", gate=gate.name)
     gate.count += 1
     return $noun.number
---
 def pair_$noun_$qual($noun, tugs):
     """Give the $words the strongest tug that is free."""
     free = [tug for tug in tugs if tug.power > $n]
     if not free:
-        raise ValueError("no tug is free")
+        raise Aground("no-tug", number=$noun.number)
     return free[0]
''',
    ),
)
