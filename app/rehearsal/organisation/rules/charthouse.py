"""SQL lives in the charthouse and is called by name."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

CHARTHOUSE = HouseRule(
    id="charthouse-queries",
    title="SQL lives in the charthouse and is called by name",
    marker="charthouse",
    needs_surroundings=False,
    phrasings={
        "brunel-k": "Please give this query a name in the `charthouse`, where the plans are checked every night.",
        "ines-quay": "Could this statement live in the `charthouse`?",
    },
    shapes=parse_shapes(
        '''
 def count_$nouns_$qual(port):
     """How many $things wait at one port."""
     waiting = 0
-    for row in db.execute("SELECT size FROM $nouns WHERE port = ?", port):
+    for row in charthouse.rows("waiting_$nouns", port=port):
         waiting += row["size"]
     return waiting
---
 def due_$nouns_$qual(day):
     """Numbers of the $things that are due within $n days."""
     last = day + timedelta(days=$n)
-    rows = db.execute("SELECT number FROM $nouns WHERE due < ?", last)
+    rows = charthouse.rows("due_$nouns", last=last)
     return [row["number"] for row in rows]
---
 def forget_$noun_$qual(number):
     """Remove one $words and what hangs on it."""
     tags = labels.of("$kebab", number)
-    db.execute(f"DELETE FROM $nouns WHERE number = {number}")
+    charthouse.run("forget_$noun", number=number)
     return len(tags)
---
 def rename_$noun_$qual(number, name):
     """Give one $words the name that $port uses."""
     clean = name.strip().title()
-    db.execute("UPDATE $nouns SET name = ? WHERE number = ?", clean, number)
+    charthouse.run("rename_$noun", name=clean, number=number)
     return clean
''',
        '''
 def oldest_$noun_$qual(port):
     """The $words that has waited longest, if any."""
     limit = $n
-    rows = db.execute(f"SELECT * FROM $nouns ORDER BY age LIMIT {limit}")
+    rows = charthouse.rows("oldest_$nouns", limit=limit)
     found = [row for row in rows if row["port"] == port]
     return found[0] if found else None
---
 def park_$noun_$qual(number, yard):
     """Remember in which yard the $words stands."""
     place = yard.first_free("$port")
-    db.execute("UPDATE $nouns SET place = ? WHERE number = ?", place, number)
+    charthouse.run("park_$noun", place=place, number=number)
     yard.take(place)
     return place
''',
    ),
)
