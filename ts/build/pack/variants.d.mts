/** The text of `relaxed` as that of both variants; see variants.mjs. */
export function takenApart(text: string): string
