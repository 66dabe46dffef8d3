// Refreshes the part of a page that changes while a round runs. Without it the page says the same when it is loaded.
"use strict";
const part = document.querySelector("[data-live]");
const SECONDS = 3;
async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(part.dataset.live, { redirect: "error", headers: { accept: "text/html" } });
    if (!answer.ok) return stop();
    part.innerHTML = await answer.text();
    if (part.querySelector("[data-ended]")) stop();
  } catch {
    stop();
  }
}
function stop() { clearInterval(timer); }
const timer = part ? setInterval(refresh, SECONDS * 1000) : 0;
