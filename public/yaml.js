/**
 * Reads the part of YAML that our two documents are written in: maps and lists in blocks and in flow style, plain and quoted
 * scalars, literal blocks, anchors and aliases, comments. What it does not know it refuses, with the line.
 */
export function readYAML(text) {
  const lines = text.split(/\r?\n/).map((raw, index) => ({ raw, number: index + 1, indent: raw.search(/\S|$/), text: raw.trim() }));
  const anchors = new Map();
  let at = 0;

  const fail = (what) => { throw new Error(`line ${lines[Math.min(at, lines.length - 1)].number}: ${what}`); };
  const skip = () => { while (at < lines.length && (lines[at].text === "" || lines[at].text.startsWith("#"))) at += 1; };

  function block(indent) {
    skip();
    if (at >= lines.length || lines[at].indent < indent) return null;
    return lines[at].text === "-" || lines[at].text.startsWith("- ") ? list(lines[at].indent) : map(lines[at].indent);
  }

  function list(indent) {
    const items = [];
    for (skip(); at < lines.length && lines[at].indent === indent && /^-( |$)/.test(lines[at].text); skip()) {
      const rest = lines[at].text.slice(1);
      const inner = rest.trimStart();
      const column = indent + 1 + rest.length - inner.length;
      if (inner === "" || inner.startsWith("#")) {
        at += 1;
        items.push(block(indent + 1));
      } else if (keyOf(inner)) {
        // The first member of a map stands behind the dash.
        lines[at] = { ...lines[at], indent: column, text: inner };
        items.push(map(column));
      } else {
        items.push(value(inner, indent));
      }
    }
    return items;
  }

  function map(indent) {
    const members = {};
    for (skip(); at < lines.length && lines[at].indent === indent; skip()) {
      const found = keyOf(lines[at].text);
      if (!found) fail("a key is missing");
      members[found.key] = value(found.rest, indent);
    }
    if (at < lines.length && lines[at].indent > indent) fail("too far to the right");
    return members;
  }

  /** A key with its colon at the beginning of the text, and what follows. */
  function keyOf(text) {
    const match = /^("(?:[^"\\]|\\.)*"|[^\s"'{[|>&*#][^:#]*?(?::[^\s:][^:#]*?)*)\s*:(?:\s+(.*))?$/.exec(text);
    return match && { key: match[1].startsWith('"') ? JSON.parse(match[1]) : match[1], rest: match[2] ?? "" };
  }

  /** What stands behind a key or a dash: on this line, or on those below that are further to the right. */
  function value(rest, indent) {
    const anchor = /^&(\S+)\s*/.exec(rest);
    const text = anchor ? rest.slice(anchor[0].length) : rest;
    let found;
    if (text === "" || text.startsWith("#")) {
      at += 1;
      skip();
      const isList = at < lines.length && lines[at].indent === indent && lines[at].text.startsWith("- ");
      const isFlow = at < lines.length && lines[at].indent > indent && /^[[{"']/.test(lines[at].text) && !keyOf(lines[at].text);
      found = isList ? list(indent) : isFlow ? flow(lines[at].text, indent) : block(indent + 1);
    } else if (text === "|") {
      found = literal(indent);
    } else {
      found = flow(text, indent);
    }
    if (anchor) anchors.set(anchor[1], found);
    return found;
  }

  function literal(indent) {
    const found = [];
    let left = 0;
    for (at += 1; at < lines.length && (lines[at].text === "" || lines[at].indent > indent); at += 1) {
      if (left === 0 && lines[at].text !== "") left = lines[at].indent;
      found.push(lines[at].raw.slice(left));
    }
    return `${found.join("\n").trimEnd()}\n`;
  }

  /** A scalar, or a map or list in braces, which may go on over several lines. */
  function flow(first, indent) {
    let text = first;
    let place = 0;
    const more = () => {
      at += 1;
      if (at >= lines.length || lines[at].indent <= indent) fail("the end of a bracket is missing");
      text += ` ${lines[at].text}`;
    };
    const space = () => {
      for (;;) {
        while (text[place] === " ") place += 1;
        if (place < text.length) return;
        more();
      }
    };
    function item() {
      space();
      const sign = text[place];
      if (sign === "{" || sign === "[") return bracket(sign);
      if (sign === '"' || sign === "'") return quoted(sign);
      const end = /[,\]}]|: /.exec(text.slice(place));
      const plain = text.slice(place, end ? place + end.index : text.length);
      place += plain.length;
      return scalar(plain.trim());
    }
    function bracket(sign) {
      const isMap = sign === "{";
      const found = isMap ? {} : [];
      place += 1;
      for (;;) {
        space();
        if (text[place] === (isMap ? "}" : "]")) break;
        if (text[place] === ",") { place += 1; continue; }
        const key = item();
        if (!isMap) { found.push(key); continue; }
        space();
        if (text[place] !== ":") fail("a colon is missing");
        place += 1;
        found[key] = item();
      }
      place += 1;
      return found;
    }
    function quoted(sign) {
      const match = (sign === '"' ? /"(?:[^"\\]|\\.)*"/y : /'(?:[^']|'')*'/y);
      match.lastIndex = place;
      const found = match.exec(text);
      if (!found) fail("the end of a quotation is missing");
      place += found[0].length;
      return sign === '"' ? JSON.parse(found[0]) : found[0].slice(1, -1).replaceAll("''", "'");
    }

    const sign = text[0];
    let found;
    if ("{[\"'".includes(sign)) {
      found = item();
      const rest = text.slice(place).trim();
      if (rest !== "" && !rest.startsWith("#")) fail(`what is ${rest}?`);
    } else {
      found = scalar(text.replace(/\s+#.*$/, ""));
    }
    at += 1;
    return found;
  }

  function scalar(text) {
    if (text.startsWith("*")) return anchors.has(text.slice(1)) ? anchors.get(text.slice(1)) : fail(`there is no ${text}`);
    if (text === "null" || text === "~") return null;
    if (text === "true" || text === "false") return text === "true";
    return /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text) ? Number(text) : text;
  }

  const found = block(0);
  skip();
  if (at < lines.length) fail("more than one document");
  return found;
}
