"""Before the ledger is posted to, the audit trail says why. Seen only with the lines above."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

AUDIT = HouseRule(
    id="audit-first",
    title="An audit.note stands before every ledger.post",
    marker="audit.note",
    needs_surroundings=True,
    phrasings={
        "brunel-k": "Nothing is posted before an `audit.note` says why, please add one above.",
        "marlow-dock": "`audit.note` first, then post.",
    },
    shapes=parse_shapes(
        '''
 def settle_$noun_$qual($noun, account):
     """Book what the $words still owes."""
     $amount = account.open_for($noun)
+    audit.note("$topic-settled", $noun.number)
>    ledger.post(account, $amount)
     return $amount
---
 def waive_$noun_$qual($noun, account):
     """Take the $topic off the $words, for once."""
     $amount = account.charged($noun, "$topic")
+    audit.note("$topic-waived", $noun.number)
     $noun.waived = True
>    ledger.post(account, -$amount)
     return $noun
---
 def move_$topic_$qual(source, target, $amount):
     """Move $topic money at $port from one account to another."""
     quaylog.event("$topic-moved", source=source.code)
+    audit.note("$topic-moved", target.code)
>    ledger.post(target, $amount)
     return target.balance()
---
 def correct_$noun_$qual($noun, account, right):
     """Correct a $words that was booked wrongly."""
     wrong = account.charged($noun, "$topic")
+    audit.note("$kebab-corrected", $noun.number)
     $amount = right - wrong
>    ledger.post(account, $amount)
     $noun.corrected = True
---
 def claim_$topic_for_$noun_$qual($noun, account):
     """Take the $topic that the $words has run up since spring."""
     for day in $noun.days_in("$port"):
         $amount = day.charge()
+        audit.note("$topic-claimed", $noun.number)
         day.claimed = True
>        ledger.post(account, $amount)
     return account
---
 def return_$noun_$qual($noun, account):
     """Give the deposit of one $words back."""
+    audit.note("$kebab-returned", $noun.number)
     $amount = account.deposit_for($noun)
     $noun.state = "returned"
>    ledger.post(account, -$amount)
     return $noun
''',
        '''
 def forfeit_$noun_$qual($noun, account):
     """Keep the deposit of a $words that never came."""
     $amount = account.deposit_for($noun)
     $noun.state = "forfeit"
+    audit.note("$kebab-forfeit", $noun.number)
>    ledger.post(account, $amount)
     return $noun
---
 def close_$topic_$qual(account):
     """Close the $topic account of one year at $port."""
     for month in account.open_months():
         $amount = month.balance()
+        audit.note("$topic-closed", month.name)
>        ledger.post(account, $amount)
     return account.close()
''',
    ),
)
