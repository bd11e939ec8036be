/** Data as JavaScript that may stand in a file or between the tags of a page. */

/**
 * @internal Plain data as a literal of JavaScript: JSON with `<` as an escape, so that no text in it ends a script of a page, and with the line ends
 * of Unicode as escapes, which older engines do not allow in texts. The caller names the properties: `__proto__` among them would be the prototype.
 */
export function literal(value: unknown): string {
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
