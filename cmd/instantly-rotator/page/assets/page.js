// The page says all it has to say without this: it counts on, copies, and looks again.
"use strict";

function span(seconds) {
  const parts = [];
  for (const [name, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    const n = Math.floor(seconds / size);
    if (n > 0) {
      parts.push(n + name);
      seconds -= n * size;
    } else if (parts.length) {
      break;
    }
    if (parts.length === 2) {
      break;
    }
  }
  return parts.join("") || "0s";
}

// By the clock of the daemon: this machine's may be wrong.
const ahead = Date.now() - Date.parse(document.body.dataset.now);

function count() {
  for (const t of document.querySelectorAll("time[data-count]")) {
    const seconds = Math.round((Date.parse(t.dateTime) - (Date.now() - ahead)) / 1000);
    if (t.dataset.count === "long") {
      t.textContent = span(Math.max(0, -seconds));
    } else if (t.dataset.count === "ago" && seconds >= 0) {
      t.textContent = "just now";
    } else {
      t.textContent = seconds >= 0 ? "in " + span(seconds) : span(-seconds) + " ago";
    }
  }
}

for (const picture of document.querySelectorAll(".timeline")) {
  picture.parentElement.scrollLeft = picture.parentElement.scrollWidth; // the newest is on the right
}

for (const place of document.querySelectorAll(".paste")) {
  if (!navigator.clipboard) {
    break; // on plain HTTP browsers have none, but for localhost
  }
  const command = place.querySelector("code").textContent;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the command " + command);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  place.append(" ", button);
}

const every = Number(document.body.dataset.refresh);
if (every > 0) {
  setInterval(count, 1000);
  setInterval(() => {
    const free = document.activeElement === document.body || document.activeElement === null;
    if (!document.hidden && free && String(getSelection()) === "") {
      location.reload();
    }
  }, every * 1000);
}
