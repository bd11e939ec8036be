/** @internal A copy of a text. Engines keep a part of a text as a reference to all of it, and that is a piece of a file. */
export function ownText(text: string): string {
  return text.length < 13 ? text : ` ${text}`.slice(1)
}
