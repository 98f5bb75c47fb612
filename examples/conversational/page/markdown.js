// The little Markdown that models write, as elements. Nothing of it becomes markup of the page by itself.

const INLINE = /(`[^`\n]+`)|\*\*([^*\n]+)\*\*|\*([^*\s][^*\n]*)\*|\[([^\]\n]+)\]\((https?:\/\/[^)\s]+)\)/g;

function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

function inline(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(at, found.index));
    const [all, code, strong, soft, name, address] = found;
    if (code) parts.push(element("code", code.slice(1, -1)));
    else if (strong) parts.push(element("strong", strong));
    else if (soft) parts.push(element("em", soft));
    else {
      const link = element("a", name);
      link.href = address;
      link.rel = "noreferrer noopener";
      link.target = "_blank";
      parts.push(link);
    }
    at = found.index + all.length;
  }
  return [...parts, text.slice(at)];
}

function block(lines) {
  const kind = line => /^\s*[-*+]\s+/.test(line) ? "ul" : /^\s*\d+[.)]\s+/.test(line) ? "ol" : "";
  const made = [];
  for (let at = 0; at < lines.length;) {
    const list = kind(lines[at]);
    let end = at;
    while (end < lines.length && kind(lines[end]) === list) end++;
    const part = lines.slice(at, end);
    if (list) {
      const items = part.map(line => element("li", ...inline(line.replace(/^\s*([-*+]|\d+[.)])\s+/, ""))));
      made.push(element(list, ...items));
    } else {
      const heading = /^#{1,6}\s+(.*)/.exec(part[0]);
      const rest = heading ? part.slice(1).join("\n") : part.join("\n");
      if (heading) made.push(element("p", element("strong", ...inline(heading[1]))));
      if (rest) made.push(element("p", ...inline(rest)));
    }
    at = end;
  }
  return made;
}

// The elements of a text, which may still be growing: an open code block ends where the text does.
export function render(text) {
  const made = [];
  text.split(/^```.*$/m).forEach((part, index) => {
    if (index % 2) made.push(element("pre", element("code", part.replace(/^\n|\n$/g, ""))));
    else for (const lines of part.split(/\n\s*\n/)) {
      const kept = lines.split("\n").filter(line => line.trim());
      if (kept.length) made.push(...block(kept));
    }
  });
  return made;
}
