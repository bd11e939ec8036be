/** The width of text at a terminal, in cells: most characters take one, East Asian characters and emoji take two. */

/** Colors and other styles, which take no cell. */
const STYLES = /\u001b\[[\d;]*m/g
/** Characters that take one cell each, whatever the terminal is. */
const NARROW = /^[ -\u02ff]*$/
/** Marks on the character before them, and characters that format others. */
const MARK = /[\p{Mn}\p{Me}\p{Cf}]/u
/** Wide and fullwidth characters (Unicode Standard Annex 11), and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

/** @internal Cells that a text takes. */
export function cellsOf(text: string): number {
  if (NARROW.test(text)) return text.length
  let cells = 0
  for (const character of text.replace(STYLES, '')) cells += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return cells
}

/** @internal `text.padEnd`, in cells. */
export const padEnd = (text: string, cells: number): string => text + blanks(text, cells)

/** @internal `text.padStart`, in cells. */
export const padStart = (text: string, cells: number): string => blanks(text, cells) + text

const blanks = (text: string, cells: number): string => ' '.repeat(Math.max(0, cells - cellsOf(text)))

/** @internal A text of at most `cells` cells: its end becomes `…`. */
export function cut(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text
  let start = ''
  for (const character of text) {
    if (cellsOf(start + character) >= cells) break
    start += character
  }
  return `${start}…`
}

/** @internal Lines of at most `cells` cells, broken between words. */
export function wrapped(text: string, cells: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && cellsOf(last) + 1 + cellsOf(word) <= cells) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
