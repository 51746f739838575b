/** Languages as people know them: each called by its own name. Pure. */

/** What a language calls itself, such as Español; its code where the browser does not know it. */
export function ownName(code: string): string {
  try {
    const name = new Intl.DisplayNames([code], { type: "language", fallback: "code" }).of(code) ?? code;
    return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
  } catch {
    return code;
  }
}

/** The offered language that comes nearest to one that a person prefers; undefined for none. */
export function nearest(preferred: readonly string[], offered: readonly string[]): string | undefined {
  for (const wish of preferred) {
    const found = offered.find((code) => same(code, wish)) ?? offered.find((code) => related(code, wish));
    if (found !== undefined) return found;
  }
  return undefined;
}

function same(one: string, other: string): boolean {
  return canonical(one).toString() === canonical(other).toString();
}

/** The same language in the same script: pt-BR and pt, but not zh-Hans and zh-Hant. */
function related(one: string, other: string): boolean {
  const [a, b] = [canonical(one).maximize(), canonical(other).maximize()];
  return a.language === b.language && a.script === b.script;
}

function canonical(code: string): Intl.Locale {
  try {
    return new Intl.Locale(code.replaceAll("_", "-"));
  } catch {
    return new Intl.Locale("und");
  }
}
