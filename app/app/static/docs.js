// Shows openapi.json for people: each operation with its body and all of its answers.

const place = document.getElementById("operations");
const state = document.getElementById("state");

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

const named = (api, schema) =>
  schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;

function fields(api, content) {
  const list = element("dl");
  for (const [type, { schema }] of Object.entries(content ?? {})) {
    const whole = named(api, schema) ?? {};
    list.append(element("dt", "", element("code", type)), element("dd", whole.description ?? whole.type ?? ""));
    for (const [name, field] of Object.entries(whole.properties ?? {})) {
      const needed = whole.required?.includes(name) ? "required" : "optional";
      const text = [field.type, needed, field.description].filter(Boolean).join(", ");
      list.append(element("dt", "", element("code", name)), element("dd", text));
    }
  }
  return list;
}

function operation(api, path, method, entry) {
  const verb = element("span", method.toUpperCase());
  verb.className = "method";
  const section = element("section", "", element("h2", "", verb, element("code", path)));
  section.append(element("p", entry.summary ?? ""));
  if (entry.requestBody) {
    section.append(element("h3", "Body"), fields(api, entry.requestBody.content));
  }
  section.append(element("h3", "Answers"));
  const answers = element("dl");
  for (const [status, answer] of Object.entries(entry.responses)) {
    const types = Object.keys(answer.content ?? {}).join(", ");
    answers.append(
      element("dt", status),
      element("dd", answer.description, " ", element("code", types)),
    );
  }
  section.append(answers);
  return section;
}

try {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(String(response.status));
  const api = await response.json();
  for (const [path, entries] of Object.entries(api.paths)) {
    for (const [method, entry] of Object.entries(entries)) {
      place.append(operation(api, path, method, entry));
    }
  }
  state.textContent = `${api.info.title} ${api.info.version}`;
} catch (error) {
  state.textContent = `openapi.json could not be read (${error.message})`;
}
