"use strict";
// Browses /openapi.json and tries its calls, and lists every service of /v1/apis. Everything it shows comes from those two.

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
};

// Text of a contract's comment, in which names are between backticks.
const prose = (text, attributes = {}) => element("span", attributes,
  ...String(text || "").split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part)));

let api;
let catalogue;

const resolve = (schema) => {
  while (schema && schema.$ref) schema = schema.$ref.split("/").slice(1).reduce((found, key) => found[key], api);
  if (schema && schema.allOf && schema.allOf.length === 1) return { ...resolve(schema.allOf[0]), ...schema };
  return schema || {};
};

// A body to start from: every field that may be sent, with a value of its type.
const example = (schema, depth = 0) => {
  schema = resolve(schema);
  if (schema.enum) return schema.enum.find((name) => !String(name).endsWith("_UNSPECIFIED")) || schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (schema.oneOf || schema.anyOf) return example((schema.oneOf || schema.anyOf)[0], depth);
  if (type === "array") return depth > 4 ? [] : [example(schema.items, depth + 1)];
  if (type === "object" || schema.properties) {
    const body = {};
    if (depth > 4) return body;
    for (const [name, field] of Object.entries(schema.properties || {})) {
      if (!resolve(field).readOnly && !field.readOnly) body[name] = example(field, depth + 1);
    }
    return body;
  }
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  if (schema.format === "date-time") return new Date().toISOString();
  if (schema.format === "int64" || schema.format === "uint64") return "0";
  return "";
};

const calls = () =>
  Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map(([method, call]) => ({ path, method, call, key: `${method} ${path}` })));

const list = () => {
  const wanted = document.getElementById("search").value.toLowerCase();
  const chosen = decodeURIComponent(location.hash.slice(1));
  const groups = new Map();
  for (const entry of calls()) {
    const text = `${entry.key} ${entry.call.operationId} ${entry.call.summary || ""}`.toLowerCase();
    if (!text.includes(wanted)) continue;
    const tag = (entry.call.tags || ["API"])[0];
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(entry);
  }
  const nav = document.getElementById("calls");
  nav.replaceChildren();
  for (const [tag, entries] of groups) {
    nav.append(element("h3", { class: "name" }, tag));
    for (const entry of entries) {
      const classes = [entry.key === chosen && "chosen", entry.call.deprecated && "deprecated"].filter(Boolean).join(" ");
      nav.append(element("a", { href: `#${encodeURIComponent(entry.key)}`, class: classes || undefined },
        element("span", { class: "method" }, entry.method.toUpperCase()), entry.path));
    }
  }
  if (!groups.size) nav.append(element("p", { class: "quiet" }, "No call fits."));
};

const send = async (entry, inputs, body, output) => {
  let path = entry.path;
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (!input.value) continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "query") for (const value of input.value.split(",")) query.append(parameter.name, value.trim());
  }
  const url = query.size ? `${path}?${query}` : path;
  const headers = {};
  for (const [parameter, input] of inputs) if (parameter.in === "header" && input.value) headers[parameter.name] = input.value;
  // Not stored: it is lost with the page.
  const credential = document.getElementById("credential").value.trim();
  if (credential) headers.authorization = `Bearer ${credential}`;
  if (entry.method !== "get") headers["content-type"] = "application/json";
  output.replaceChildren(element("p", { class: "quiet" }, `${entry.method.toUpperCase()} ${url} …`));
  try {
    const begun = performance.now();
    const response = await fetch(url, { method: entry.method.toUpperCase(), headers, body: body ? body.value : undefined });
    const text = await response.text();
    const took = Math.round(performance.now() - begun);
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not one JSON document: shown as it came */ }
    output.replaceChildren(
      element("p", { class: response.ok ? "ok" : "bad" }, `${response.status} ${response.statusText} in ${took} ms`),
      element("p", { class: "quiet" }, `${entry.method.toUpperCase()} ${url}`),
      element("pre", {}, shown));
  } catch (error) {
    output.replaceChildren(element("p", { class: "bad" }, `No answer: ${error.message}`));
  }
};

const day = (time) => new Date(time).toISOString().slice(0, 10);

// When a method ends and what to call instead; nothing for one that stays.
const ending = (since, sunset, successor, link) => since && element("p", { class: "ending" },
  `Deprecated since ${day(since)}`, sunset ? `, ends on ${day(sunset)}` : "", successor ? `; call ${successor} instead` : "", ". ",
  link ? element("a", { href: link }, "More about it") : "");

const facts = (call) => element("p", { class: "facts" },
  ...[["gRPC", call["x-grpc-method"]], ["for", (call["x-roles"] || []).join(", ").replaceAll("_", " ")],
    ["narrowed to", { account: "the caller's accounts", partner: "the caller's partner" }[call["x-scope"]]]]
    .filter(([, fact]) => fact).map(([name, fact]) => element("span", {}, element("b", {}, name), ` ${fact}`)));

// Every service of the mesh, those without a REST face too.
const services = () => {
  list();
  const row = (method) => element("tr", {},
    element("td", { class: method.deprecated ? "deprecated" : undefined }, method.name),
    element("td", {}, prose(method.description),
      ending(method.deprecateTime, method.sunsetTime, method.successor, method.link),
      ...method.http.map((http) => element("div", {}, element("code", {}, `${http.method} ${http.path}`)))),
    element("td", {}, method.kind.replaceAll("_", " ")),
    element("td", {}, method.roles.join(", ").replaceAll("_", " ")));
  document.getElementById("call").replaceChildren(
    element("h2", {}, "Services"),
    element("p", { class: "quiet" }, `Waybill ${catalogue.version}, descriptors ${catalogue.digest}. `, element("a", { href: "/v1/apis" }, "As JSON")),
    ...catalogue.services.flatMap((service) => [
      element("h3", { class: "name" }, service.name), element("p", {}, prose(service.description)),
      element("table", { class: "methods" }, ...service.methods.map(row))]));
};

const show = () => {
  const key = decodeURIComponent(location.hash.slice(1));
  if (key === "services" && catalogue) { services(); return; }
  const entry = calls().find((found) => found.key === key) || calls()[0];
  list();
  const section = document.getElementById("call");
  if (!entry) { section.replaceChildren(element("p", {}, "The API has no calls.")); return; }
  const inputs = new Map();
  const rows = (entry.call.parameters || []).map(resolve).map((parameter) => {
    const schema = resolve(parameter.schema);
    const names = (resolve(schema.items).enum || schema.enum || []).filter((name) => !String(name).endsWith("_UNSPECIFIED"));
    const input = element("input", { "aria-label": parameter.name, placeholder: names.join(", ") });
    inputs.set(parameter, input);
    return element("tr", {}, element("td", { class: parameter.required ? "required" : undefined }, parameter.name),
      element("td", {}, input, prose(parameter.description, { class: "quiet" })));
  });
  const content = resolve(entry.call.requestBody).content;
  const body = content && element("textarea", { "aria-label": "Body", spellcheck: "false" });
  if (body) body.value = JSON.stringify(example(content["application/json"].schema), null, 2);
  const output = element("div", {});
  section.replaceChildren(
    element("h2", {}, element("span", { class: "method" }, entry.method.toUpperCase()), ` ${entry.path}`),
    ending(entry.call["x-deprecated-since"], entry.call["x-sunset"], entry.call["x-successor"]) || "",
    element("p", {}, prose(entry.call.description || entry.call.summary)),
    facts(entry.call),
    ...(rows.length ? [element("h3", {}, "Parameters"), element("table", {}, ...rows)] : []),
    ...(body ? [element("h3", {}, "Body"), body] : []),
    element("p", {}, element("button", { onclick: () => send(entry, inputs, body, output) }, "Send")),
    output,
    element("h3", {}, "Answers"),
    element("table", {}, ...Object.entries(entry.call.responses || {}).map(([status, answer]) =>
      element("tr", {}, element("td", {}, status), element("td", {}, prose(resolve(answer).description))))));
};

Promise.all(["/openapi.json", "/v1/apis"].map((path) => fetch(path).then((response) => response.json())))
  .then(([document_, apis]) => {
    api = document_;
    catalogue = apis;
    document.getElementById("search").addEventListener("input", list);
    addEventListener("hashchange", show);
    show();
  })
  .catch((error) => {
    document.getElementById("call").replaceChildren(element("p", { class: "bad" }, `The API description cannot be read: ${error.message}`));
  });
