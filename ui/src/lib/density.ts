/** How close the rows of tables stand. */

import { kept } from "./kept";

export const DENSITIES = ["roomy", "dense"] as const;
export type Density = (typeof DENSITIES)[number];

export const [density, setDensity] = kept<Density>("density", "roomy", (told) => DENSITIES.includes(told as Density));

/** Pixels of a row. */
export function rowHeight(): number {
  return density() === "dense" ? 27 : 34;
}
