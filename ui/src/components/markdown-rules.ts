/** What a text of a run may lead to, as pure functions. */

/** An address on the web or of a mail, as it is to be opened; "" for anything else, so also for places of this site. */
export function webAddress(told: string): string {
  const address = told.trim();
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return "";
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

/** A picture whose bytes stand in its address; "" for anything else. What is drawn as an image runs no scripts. */
export function pictureOf(told: string): string {
  const address = told.trim();
  return /^data:image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)[;,]/i.test(address) ? address : "";
}

/** The level of each heading, so that the first is at most `first`, none leaves a level out, and none is beyond 6. */
export function headingLevels(told: readonly number[], first: number): number[] {
  const least = Math.min(...told);
  let before = first - 1;
  return told.map((level) => {
    before = Math.min(6, first + level - least, before + 1);
    return before;
  });
}

const TAG = /<(\/?)([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^"'<>])*)(>?)/gi;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?/g;

/** Markup with no tags but these, each with no attributes but those; what begins like any other tag is text. */
export function plainTags(markup: string, tags: readonly string[], attributes: readonly string[]): string {
  return markup.replace(TAG, (_, slash: string, name: string, rest: string, end: string) => {
    if (!end || !tags.includes(name.toLowerCase())) return `&lt;${slash}${name}${rest.replaceAll("<", "&lt;")}${end}`;
    const kept = slash
      ? []
      : [...rest.matchAll(ATTRIBUTE)].filter(([, each]) => attributes.includes(each!.toLowerCase()));
    return `<${slash}${name}${kept.map(([, each, value]) => ` ${each}${value === undefined ? "" : `=${quoted(value)}`}`).join("")}>`;
  });
}

function quoted(value: string): string {
  return /^["']/.test(value) ? value : `"${value}"`;
}
