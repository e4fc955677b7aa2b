import { IconButton } from "~/components/button";
import { THEMES, setTheme, theme } from "~/lib/theme";

const ICONS = { system: "screen", light: "sun", dark: "moon" } as const;

/** Goes through light, dark and as the system has it. */
export function ThemeButton() {
  const next = () => THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]!;
  return (
    <IconButton
      icon={ICONS[theme()]}
      label={`Colours: ${theme()}. Press for ${next()}.`}
      onClick={() => setTheme(next())}
    />
  );
}
