/** Light, dark, or as the system has it. */

import { createEffect, createRoot, createSignal } from "solid-js";
import { kept } from "./kept";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const [theme, setTheme] = kept<Theme>("theme", "system", (told) => THEMES.includes(told as Theme));

const system = matchMedia("(prefers-color-scheme: dark)");
const [systemIsDark, setSystemIsDark] = createSignal(system.matches);
system.addEventListener("change", () => setSystemIsDark(system.matches));

export function isDark(): boolean {
  return theme() === "dark" || (theme() === "system" && systemIsDark());
}

createRoot(() =>
  createEffect(() => {
    if (theme() === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme();
  }),
);

const resolved = new Map<string, string>();
let probe: HTMLElement | undefined;

/** What a custom property of tokens.css stands for now, for a canvas, which knows no properties. Read it in an effect. */
export function colour(property: string): string {
  const key = `${property} ${isDark()}`;
  let found = resolved.get(key);
  if (found === undefined) {
    probe ??= document.documentElement.appendChild(document.createElement("i"));
    probe.hidden = true;
    probe.style.color = `var(${property})`;
    found = getComputedStyle(probe).color;
    resolved.set(key, found);
  }
  return found;
}
