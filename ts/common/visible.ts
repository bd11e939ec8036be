/** Makes text from untrusted sources safe, such as the names of columns, for a terminal or a log. */

/** Control characters of terminals, halves of characters, line ends of Unicode, and marks that turn the direction of the text after them. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/gu

/** @internal the text with an escape such as `\u001b` for each character that a terminal would obey instead of showing it; a line end becomes `\n` */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (c) => (c === '\n' ? '\\n' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))
}

/** @internal plain data with {@link visible} applied to each text in it, also to names of properties */
export function allVisible<T>(value: T): T {
  if (typeof value === 'string') return visible(value) as T
  if (Array.isArray(value)) return value.map(allVisible) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [visible(name), allVisible(part)])) as T
}
