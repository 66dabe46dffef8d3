"""Money goes through `Cents.of`, never through float arithmetic."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

CENTS = HouseRule(
    id="whole-cents",
    title="Money goes through Cents.of, never through float arithmetic",
    marker="Cents.of",
    needs_surroundings=False,
    phrasings={
        "marlow-dock": "Use `Cents.of` here. Money is never a float.",
        "brunel-k": "This is money, so it has to go through `Cents.of`; floats lose a cent sooner or later.",
    },
    shapes=parse_shapes(
        '''
 def price_$noun_$qual($noun, days):
     """Price the days that one $words spends at the quay."""
     daily = tariffs.daily("$port")
-    $amount = $<daily * days * $rate|days * daily * $rate|daily * days + $n.50>
+    $amount = Cents.of(daily).times(days)
     return $amount
---
 def charge_$noun_$qual($noun):
     """What $port takes for every tonne of the $words."""
     rate = tariffs.per_tonne("$port")
     tonnes = $noun.tonnes
-    $amount = $<tonnes * rate * $rate|rate * tonnes|float(rate) * tonnes * $rate>
+    $amount = Cents.of(rate).times(tonnes)
     return {"number": $noun.number, "$topic": $amount}
---
 def add_$topic_to_$noun_$qual($noun, hours):
     """Add $topic for every hour that the $words was late."""
     $amount = Cents.of($noun.fee)
     for _ in range(hours):
-        $amount += $n.50
+        $amount += Cents.of("$n.50")
     return $amount
---
 def share_$noun_$qual($noun, shippers):
     """Split the $topic of one $words over its shippers."""
     heads = len(shippers)
-    $amount = $<round($noun.fee / heads, 2)|round(float($noun.fee) / heads, 2)|$noun.fee / heads>
+    $amount = Cents.of($noun.fee).shared_by(heads)
     return {shipper.code: $amount for shipper in shippers}
---
 def read_$noun_$topic_$qual(row):
     """The $topic of one $words, as the feed sends it."""
     number = row["$noun_number"]
-    $amount = $<float(row["$topic"])|round(float(row["$topic"]), 2)|float(row["$topic"]) * $rate>
+    $amount = Cents.of(row["$topic"])
     return number, $amount
''',
        '''
 def quote_$noun_$qual($noun, legs):
     """Quote the $topic for a journey of several legs."""
     miles = sum(leg.miles for leg in legs)
     base = tariffs.per_mile("$port")
-    $amount = miles * base * $rate
+    $amount = Cents.of(base).times(miles)
     return {"number": $noun.number, "$topic": $amount}
---
 def refund_$noun_$qual($noun, claim):
     """Give back the $topic that a late $words has paid."""
     if claim.days < $n:
         return None
-    $amount = round(float(claim.paid) * $rate, 2)
+    $amount = Cents.of(claim.paid).less(Cents.of("$n"))
     return $amount
''',
    ),
)
