/**
 * Markdown of a run as nodes that are safe to show. Whoever wrote it may be hostile: of what it became, only a few kinds
 * of elements stay, with no styles, no scripts, no forms, no frames, no ids, and nothing is asked of any other host.
 * Loaded with the first text.
 */

import DOMPurify from "dompurify";
import { Marked } from "marked";
import { headingLevels, pictureOf, plainTags, webAddress } from "./markdown-rules";

const TAGS = [
  ...["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li"],
  ...["strong", "em", "b", "i", "u", "s", "del", "ins", "sub", "sup", "kbd", "mark", "small", "a", "img"],
  ...["table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "details", "summary", "dl", "dt", "dd"],
];
const ATTRIBUTES = ["href", "src", "alt", "align", "colspan", "rowspan", "start", "open"];
/** What is taken out with all that is in it; of other elements the text stays. */
const WHOLE = ["script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "select", "head"];

/** Whether a text begins with a tag of a kind that stays. All others are text: one sees what was written. */
function isKept(text: string): boolean {
  const name = /^ {0,3}<\/?([a-z][a-z0-9-]*)/i.exec(text)?.[1];
  return name === undefined || TAGS.includes(name.toLowerCase());
}

const marked = new Marked({
  gfm: true,
  async: false,
  tokenizer: {
    // `undefined` is "none of this here", and `false` "as it is otherwise".
    html: (text) => (isKept(text) ? false : undefined),
    tag: (text) => (isKept(text) ? false : undefined),
  },
  renderer: {
    // A box that cannot be ticked is no control, but a sign.
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    // What goes must go before a browser reads it: it would report each style and handler as a breach of the policy.
    html: ({ text }) => plainTags(text, TAGS, ATTRIBUTES),
  },
});

/** @throws Error: it is nested too deeply to be read. */
export function safeNodes(text: string, headings: number): DocumentFragment {
  const nodes = DOMPurify.sanitize(marked.parse(text) as string, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    FORBID_CONTENTS: WHOLE,
    RETURN_DOM_FRAGMENT: true,
  });
  nodes.querySelectorAll("a").forEach(tame);
  nodes.querySelectorAll("img").forEach(show);
  nest(nodes, headings);
  nodes.querySelectorAll("p, li, blockquote, td, th, h1, h2, h3, h4, h5, h6, summary").forEach((one) => {
    one.setAttribute("dir", "auto");
  });
  nodes.querySelectorAll("pre").forEach((one) => {
    one.tabIndex = 0;
    one.dir = "ltr";
    one.setAttribute("role", "group");
    one.setAttribute("aria-label", "Code");
  });
  nodes.querySelectorAll("table").forEach(frame);
  return nodes;
}

/** A link leads to the web or to a mail, in a tab of its own that knows nothing of this one; else it is text. */
function tame(link: HTMLAnchorElement): void {
  const address = webAddress(link.getAttribute("href") ?? "");
  link.removeAttribute("href");
  if (!address) return link.replaceWith(...link.childNodes);
  link.href = address;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  link.title = address.slice(0, 500);
  if (!link.textContent?.trim() && !link.querySelector("img[alt]")) link.textContent = address;
}

/** A picture whose bytes are in the text is shown; of one that lies elsewhere, a link to it. */
function show(image: HTMLImageElement): void {
  const told = image.getAttribute("src") ?? "";
  const alt = image.getAttribute("alt") ?? "";
  const picture = pictureOf(told);
  if (picture) {
    image.src = picture;
    image.alt = alt || "Picture";
    image.loading = "lazy";
    return;
  }
  const address = webAddress(told);
  const words = alt || (address ? told : "Picture");
  if (!address || image.closest("a")) return image.replaceWith(words);
  const link = document.createElement("a");
  link.textContent = `Picture: ${words}`;
  link.href = address;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  image.replaceWith(link);
}

/** Headings go on from that of the page, and leave none out. */
function nest(nodes: DocumentFragment, first: number): void {
  const found = [...nodes.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  const levels = headingLevels(
    found.map((one) => Number(one.tagName[1])),
    first,
  );
  found.forEach((one, n) => {
    const heading = document.createElement(`h${levels[n]}`);
    heading.append(...one.childNodes);
    heading.className = `told-${one.tagName.toLowerCase()}`;
    one.replaceWith(heading);
  });
}

/** A wide table scrolls within itself. */
function frame(table: HTMLTableElement): void {
  const box = document.createElement("div");
  box.className = "told-table";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Table");
  table.replaceWith(box);
  box.append(table);
}
