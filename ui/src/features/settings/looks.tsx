import { For } from "solid-js";
import { Card } from "~/components/card";
import { Icon } from "~/components/icon";
import { DENSITIES, density, setDensity } from "~/lib/density";
import type { IconName } from "~/lib/icons";
import { THEMES, setTheme, theme } from "~/lib/theme";
import styles from "./settings.module.css";

const THEME_LOOKS: Record<(typeof THEMES)[number], [label: string, icon: IconName]> = {
  system: ["As the system has it", "screen"],
  light: ["Light", "sun"],
  dark: ["Dark", "moon"],
};
const DENSITY_LABELS: Record<(typeof DENSITIES)[number], [label: string, icon: IconName]> = {
  roomy: ["Roomy", "menu"],
  dense: ["Dense", "list"],
};

/** Colours and rows; kept in this browser. */
export function Looks() {
  return (
    <Card title="Looks" aside="Kept in this browser">
      <Choice label="Colours" values={THEMES} looks={THEME_LOOKS} value={theme()} onChange={setTheme} />
      <Choice
        label="Rows of tables"
        values={DENSITIES}
        looks={DENSITY_LABELS}
        value={density()}
        onChange={setDensity}
      />
    </Card>
  );
}

function Choice<T extends string>(props: {
  label: string;
  values: readonly T[];
  looks: Record<T, [label: string, icon: IconName]>;
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <fieldset class={styles.choice}>
      <legend>{props.label}</legend>
      <For each={props.values}>
        {(value) => (
          <label class={styles.option}>
            <input
              type="radio"
              name={props.label}
              checked={props.value === value}
              onChange={() => props.onChange(value)}
            />
            <Icon name={props.looks[value][1]} />
            {props.looks[value][0]}
          </label>
        )}
      </For>
    </fieldset>
  );
}
