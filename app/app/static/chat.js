// The chat page: sends a message, shows the answer as it arrives, says what went wrong.

const byId = (id) => document.getElementById(id);
const main = document.querySelector("main");
const [log, form, box, send, stop, state] =
  ["log", "composer", "message", "send", "stop", "state"].map(byId);

let running = null; // the AbortController of the answer that is arriving
let failed = ""; // the message that "Try again" sends

function add(kind, speaker, text) {
  const item = document.createElement("li");
  item.className = kind;
  const who = document.createElement("span");
  who.className = "unseen";
  who.textContent = `${speaker}: `;
  const words = document.createTextNode(text);
  item.append(who, words);
  byId("welcome").hidden = true;
  log.append(item);
  main.scrollTop = main.scrollHeight;
  return { item, words };
}

function note(item, text) {
  const line = document.createElement("em");
  line.className = "note";
  line.textContent = text;
  item.append(line);
}

function show(text, busy) {
  state.textContent = text;
  stop.hidden = !busy;
  send.hidden = busy;
}

function problem(title, text, id) {
  byId("problem-title").textContent = title;
  byId("problem-text").textContent = text;
  byId("problem-id").textContent = id ? `Request ${id}` : "";
  byId("retry").hidden = !failed;
  byId("problem").hidden = false;
}

// A message that was refused goes back into its box, to be shortened or changed.
function takeBack(mine, message) {
  mine?.item.remove();
  byId("welcome").hidden = log.childElementCount > 0;
  if (!box.value) box.value = message;
}

const TITLES = {
  413: "Too long.",
  422: "Not accepted.",
  503: "Restarting.",
};

// The error of an answer that is none: [title, text, request id].
async function described(response) {
  const id = response.headers.get("X-Request-Id");
  const title = TITLES[response.status] ?? `Error ${response.status}.`;
  try {
    const { detail } = await response.json();
    const text = typeof detail === "string" ? detail : detail.map((d) => d.msg).join("; ");
    return [title, text, id];
  } catch {
    return [title, "The service did not say why.", id];
  }
}

// Follow the end of the conversation, unless the reader has scrolled up to read.
function append(words, text) {
  const atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 60;
  words.data += text;
  if (atEnd) main.scrollTop = main.scrollHeight;
}

async function stream(response, answer) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    append(answer.words, value);
  }
}

async function ask(message, { again = false } = {}) {
  const controller = new AbortController();
  running = controller;
  failed = "";
  byId("problem").hidden = true;
  const mine = again ? null : add("mine", "You", message);
  show("Sending…", true);
  let answer = null;
  try {
    const response = await fetch("/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message }),
      signal: controller.signal,
    });
    if (!response.ok) {
      if (response.status >= 500) failed = message;
      else takeBack(mine, message);
      problem(...(await described(response)));
      show("Not answered", false);
      return;
    }
    show("Answering…", true);
    answer = add("theirs", "Answer", "");
    answer.item.setAttribute("aria-busy", "true");
    await stream(response, answer);
    show("Ready", false);
  } catch {
    if (controller.signal.aborted) {
      if (answer) note(answer.item, "Stopped");
      show("Stopped", false);
    } else {
      failed = message;
      if (answer) note(answer.item, "Broke off");
      const what = answer ? "The answer broke off before its end." : "The service does not answer.";
      problem("Connection lost.", what, null);
      show("Not answered", false);
    }
  } finally {
    answer?.item.removeAttribute("aria-busy");
    running = null;
    // Back to the message, but not from where somebody reads.
    if (!document.activeElement?.closest("main, header")) box.focus();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = box.value.trim();
  if (!message || running) return;
  box.value = "";
  ask(message);
});

box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
});

stop.addEventListener("click", () => running?.abort());
byId("retry").addEventListener("click", () => {
  if (failed && !running) ask(failed, { again: true });
});
