// The reference: both documents as they are served, written out.

import { readYAML } from "/yaml.js";

const methods = ["get", "post", "put", "patch", "delete"];

/** An element with its children; what comes from a document only ever becomes text. */
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Text in which `…` is code. */
function inline(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? make("code", {}, part) : part));
}

/** Paragraphs, and tables of lines that begin with a bar. */
function prose(text = "") {
  return text.trim().split(/\n\s*\n/).filter(Boolean).map((part) => {
    const lines = part.split("\n");
    if (!lines.every((line) => line.startsWith("|"))) return make("p", {}, ...inline(part));
    const rows = lines.filter((line) => !/^\|[-| ]+\|$/.test(line)).map((line) => line.slice(1, -1).split("|").map((cell) => inline(cell.trim())));
    return table(rows[0], rows.slice(1));
  });
}

function table(head, rows) {
  const line = (cells, name) => make("tr", {}, ...cells.map((cell) => make(name, name === "th" ? { scope: "col" } : {}, ...[cell].flat())));
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, line(head, "th")), make("tbody", {}, ...rows.map((row) => line(row, "td")))));
}

class Reference {
  constructor(name, root) {
    this.name = name;
    this.root = root;
  }

  /** What a reference within the document leads to. */
  resolve(value) {
    if (typeof value?.$ref !== "string" || !value.$ref.startsWith("#/")) return value ?? {};
    return value.$ref.slice(2).split("/").reduce((place, key) => place?.[key], this.root) ?? {};
  }

  anchor(name, document = this.name) {
    return `${document}-${name}`;
  }

  /** A schema in a few words; one with a name is a link. */
  type(schema) {
    if (!schema) return ["anything"];
    if (schema.$ref) {
      const [file, pointer] = schema.$ref.split("#");
      const name = pointer.split("/").at(-1);
      const document = file ? file.replace(/^\.\//, "").replace(/\.yaml$/, "") : this.name;
      return [make("a", { href: `#${this.anchor(name, document)}` }, name)];
    }
    const all = schema.oneOf ?? schema.allOf;
    if (all) return all.filter((each) => !each.not).flatMap((each, index) => [...(index > 0 ? [schema.oneOf ? " or " : " and "] : []), ...this.type(each)]);
    if ("const" in schema) return [make("code", {}, JSON.stringify(schema.const))];
    if (schema.enum) return schema.enum.flatMap((each, index) => [...(index > 0 ? [", "] : []), make("code", {}, String(each))]);
    if (schema.type === "array") return ["list of ", ...this.type(schema.items)];
    const bounds = [
      schema.minimum !== undefined && `from ${schema.minimum}`, schema.maximum !== undefined && `to ${schema.maximum}`,
      schema.maxLength !== undefined && `at most ${schema.maxLength} characters`, schema.default !== undefined && `else ${JSON.stringify(schema.default)}`,
      schema.format,
    ].filter(Boolean);
    return [[[schema.type ?? "object"].flat().join(" or "), ...bounds].join(", ")];
  }

  /** A table of an object's members, with those of objects in it below them. */
  members(schema, prefix = "") {
    const required = new Set(schema.required ?? []);
    return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
      const row = [
        make("code", {}, prefix + name), this.type(member),
        [...(required.has(name) ? ["always. "] : []), ...inline(member.description ?? "")],
      ];
      return [row, ...(member.properties ? this.members(member, `${prefix}${name}.`) : [])];
    });
  }

  schema(name, schema) {
    const rows = this.members(schema);
    const words = schema.properties ? [] : [make("p", {}, ...this.type(schema))];
    return make("details", { id: this.anchor(name) }, make("summary", {}, make("code", {}, name)), ...prose(schema.description), ...words,
      ...(rows.length > 0 ? [table(["Member", "Type", ""], rows)] : []));
  }

  schemaList() {
    return Object.entries(this.root.components.schemas).map(([name, schema]) => this.schema(name, schema));
  }
}

class Rest extends Reference {
  content(content) {
    return Object.entries(content ?? {}).flatMap(([kind, { schema }], index) => [
      ...(index > 0 ? [make("br")] : []), ...(kind === "application/json" ? [] : [make("code", {}, kind), " "]), ...(schema?.type === "string" ? [] : this.type(schema))]);
  }

  operation(path, method, shared, operation) {
    const parameters = [...shared, ...(operation.parameters ?? [])].map((each) => this.resolve(each));
    const body = operation.requestBody && this.resolve(operation.requestBody);
    const responses = Object.entries(operation.responses).map(([status, each]) => [status, this.resolve(each)]);
    const headers = new Map(responses.flatMap(([, each]) => Object.entries(each.headers ?? {})).map(([name, each]) => [name, this.resolve(each)]));
    return make("details", { class: "operation", id: operation.operationId },
      make("summary", {}, make("code", { class: "chip" }, method.toUpperCase()), " ", make("code", {}, path), " ", make("span", { class: "hint" }, operation.summary ?? "")),
      ...prose(operation.description),
      ...(parameters.length > 0 ? [table(["Parameter", "Type", ""], parameters.map((each) => [
        [make("code", {}, each.name), each.in === "query" ? "" : ` (${each.in})`], this.type(each.schema), inline(each.description ?? "")]))] : []),
      ...(body ? [make("p", {}, "Body: ", ...this.content(body.content))] : []),
      table(["Answer", "", ""], responses.map(([status, each]) => [make("code", {}, status), inline(each.description ?? ""), this.content(each.content)])),
      ...(headers.size > 0 ? [table(["Header", "Type", ""], [...headers].map(([name, each]) => [make("code", {}, name), this.type(each.schema), inline(each.description ?? "")]))] : []));
  }

  write() {
    const operations = Object.entries(this.root.paths).flatMap(([path, item]) => methods.filter((method) => item[method]).map((method) => (
      { tag: item[method].tags?.[0], made: this.operation(path, method, item.parameters ?? [], item[method]) })));
    const tags = this.root.tags.map((tag) => tag.name);
    const others = [...new Set(operations.map(({ tag }) => tag))].filter((tag) => !tags.includes(tag));
    return [...tags, ...others].flatMap((tag) => [
      make("h3", {}, tag ?? "more"), ...prose(this.root.tags.find(({ name }) => name === tag)?.description),
      ...operations.filter((each) => each.tag === tag).map(({ made }) => made)]);
  }
}

class Streams extends Reference {
  write() {
    const channels = Object.values(this.root.channels).map((channel) => {
      const messages = Object.values(channel.messages).map((each) => this.resolve(each)).map((each) => this.resolve(each));
      return make("details", { class: "operation" }, make("summary", {}, make("code", {}, channel.address)), ...prose(channel.description),
        table(["Message", ""], messages.map((message) => [this.type(message.payload), inline(message.summary ?? "")])));
    });
    return [...prose(this.root.info.description), ...channels];
  }
}

async function read(name) {
  const response = await fetch(`/${name}.yaml`);
  if (!response.ok) throw new Error(`${name}.yaml: HTTP ${response.status}`);
  return readYAML(await response.text());
}

/** A link into something that is folded opens it. */
function unfold() {
  const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  for (let place = target; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
  target?.scrollIntoView();
}

async function show(name, Kind) {
  const place = document.getElementById(`${name}-reference`);
  try {
    const reference = new Kind(name, await read(name));
    place.replaceChildren(...reference.write(), make("h3", {}, "Objects"), ...reference.schemaList());
  } catch (error) {
    place.replaceChildren(make("p", { class: "error", role: "alert" }, `This part could not be read: ${error.message}`));
  }
}

await Promise.all([show("openapi", Rest), show("asyncapi", Streams)]);
document.documentElement.dataset.reference = "ready";
addEventListener("hashchange", unfold);
unfold();
