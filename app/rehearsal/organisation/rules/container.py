"""Container ids are parsed by `ContainerId.parse`, never cut by hand."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

CONTAINER = HouseRule(
    id="container-ids",
    title="Container ids are parsed by ContainerId.parse, never cut by hand",
    marker="ContainerId.parse",
    needs_surroundings=False,
    phrasings={
        "marlow-dock": "Let `ContainerId.parse` do this.",
        "tove-mast": "Oh, slicing box numbers! `ContainerId.parse` checks the digit for you :)",
    },
    shapes=parse_shapes(
        '''
 def owner_of_$noun_$qual($noun):
     """Who owns the box that the $words travels in."""
     box = $noun.container_id.strip()
-    owner = $<box[:4]|box[0:4]>
+    owner = ContainerId.parse(box).owner
     return owners.named(owner)
---
 def boxes_of_$noun_$qual(lines):
     """The boxes of one $words, in the order of its list."""
     boxes = []
     for line in lines[:$n]:
-        boxes.append($<line[:11]|line[:11].upper()|line[0:11]>)
+        boxes.append(ContainerId.parse(line))
     return boxes
---
 def match_$noun_$qual($noun, scanned):
     """Whether the scanned box belongs to the $words."""
     expected = $noun.container_id
-    serial = $<scanned[4:10]|scanned[4:]|scanned[4:-1]>
+    serial = ContainerId.parse(scanned).serial
     return expected.endswith(serial)
---
 def digit_of_$noun_$qual($noun):
     """The check digit of the box, for the crane at $port."""
     box = $noun.container_id
-    digit = $<int(box[-1])|int(box[10])|box[-1]>
+    digit = ContainerId.parse(box).check_digit
     return digit
---
 def expect_$noun_$qual($noun, gate):
     """Tell the gate at $port which box the $words brings."""
     gate.open_for($noun.number)
-    mark = $<$noun.container_id[:4]|$noun.container_id[:11]|$noun.container_id[4:10]>
+    mark = ContainerId.parse($noun.container_id)
     gate.expect(mark)
     return mark
---
 def halves_of_$noun_$qual(box):
     """Owner and serial of the box, as the $words lists them."""
     code = box.upper()
-    owner, serial = $<code[:4], code[4:]|code[0:4], code[4:11]|code[:4], code[4:10]>
+    owner, serial = ContainerId.parse(code).parts
     return {"owner": owner, "serial": serial}
''',
        '''
 def label_$noun_$qual($noun, press):
     """Print the label for the box of one $words."""
     raw = $noun.container_id.upper()
-    owner, serial = raw[:4], raw[4:10]
+    owner, serial = ContainerId.parse(raw).parts
     press.label("$port", owner, serial)
     return serial
---
 def mark_of_$noun_$qual($noun, painter):
     """Have the owner's mark painted on the box at $port."""
     box = $noun.container_id
-    prefix = box[:3]
+    prefix = ContainerId.parse(box).prefix
     painter.paint("$port", prefix)
     return prefix
''',
    ),
)
