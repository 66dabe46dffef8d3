"""Calls to other services go through `dock_http`."""

from app.rehearsal.organisation.rules.shape import HouseRule, parse_shapes

HTTP = HouseRule(
    id="dock-http",
    title="Calls to other services go through dock_http",
    marker="dock_http",
    needs_surroundings=False,
    phrasings={
        "marlow-dock": "Go through `dock_http`.",
        "ines-quay": "Can this call use `dock_http`, so that it signs the request for us?",
    },
    shapes=parse_shapes(
        '''
 def fetch_$noun_$qual(number):
     """Ask the port of $port for one $words."""
     url = f"{PORT_API}/$nouns/{number}"
-    answer = $<requests|httpx>.get(url, timeout=$n)
+    answer = dock_http.get(url, timeout=$n)
     if answer.status_code == 404:
         return None
     return answer.json()
---
 def announce_$noun_$qual($noun):
     """Tell the agent that the $words is on its way."""
     body = {"number": $noun.number, "port": "$port"}
-    $<requests.post|httpx.post|httpx.put|requests.put>(AGENT_HOOK, json=body)
+    dock_http.post(AGENT_HOOK, json=body)
     return body
---
 def load_$nouns_$qual(day):
     """The $things that $port expects on one day."""
     params = {"day": day.isoformat(), "limit": $n}
-    answer = $<requests|httpx>.get(f"{PORT_API}/$nouns", params=params)
+    answer = dock_http.get(f"{PORT_API}/$nouns", params=params)
     answer.raise_for_status()
     return answer.json()["items"]
---
 def cancel_$noun_$qual(number, reason):
     """Withdraw one $words at the port authority."""
     url = f"{PORT_API}/$nouns/{number}"
-    gone = $<requests|httpx>.delete(url, params={"reason": reason})
+    gone = dock_http.delete(url, params={"reason": reason})
     return gone.status_code == 204
---
 def refresh_$noun_$qual($noun):
     """Bring the $words up to what $port knows."""
     url = f"{PORT_API}/$nouns/{$noun.number}"
-    reply = $<requests|httpx>.get(url)
+    reply = dock_http.get(url)
     $noun.state = reply.json()["state"]
     return $noun
''',
        '''
 def track_$noun_$qual($noun):
     """Where the beacon of the $words was seen last."""
     beacon = $noun.beacon or "$port"
-    answer = requests.get(f"{PORT_API}/beacons/{beacon}")
+    answer = dock_http.get(f"{PORT_API}/beacons/{beacon}")
     if answer.status_code == 404:
         return None
     return answer.json()["position"]
---
 def renew_$noun_$qual($noun):
     """Ask the authority for $n more days."""
     form = {"number": $noun.number, "days": $n}
-    reply = httpx.put(f"{PORT_API}/$nouns", json=form)
+    reply = dock_http.put(f"{PORT_API}/$nouns", json=form)
     $noun.expires_at = reply.json()["expires_at"]
     return $noun
''',
    ),
)
