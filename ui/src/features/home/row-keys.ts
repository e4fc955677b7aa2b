/** Going from run to run by keys: each row of the page has one link that leads to its run. */

/** Give the focus to the next such link, or the one before, and show it. */
export function stepThroughRows(by: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>("main a[data-row]")].filter((link) => link.offsetParent);
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
  links[next]?.focus();
}
