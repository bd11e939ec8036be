/** Capabilities of the terminal: width, colors, a live line. */
import util from 'node:util'
import { wrapped } from '../../common/text-width.js'
import { visible } from '../../common/visible.js'

/** Names of styles that the CLI uses. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const { stdout, stderr, env } = process

/** Columns of the output, 80 without a terminal, or if it reports none. */
export function columns(): number {
  return stdout.columns || 80
}

/** True if a line may be redrawn: for a person at a terminal, not a log. */
export function isLive(): boolean {
  return stdout.isTTY === true && env.TERM !== 'dumb' && !isOn(env.CI)
}

/** True if a stream takes colors: NO_COLOR and FORCE_COLOR decide, otherwise a terminal does. */
function hasColours(stream: NodeJS.WriteStream = stdout): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined) return isOn(env.FORCE_COLOR)
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** True if the 256 colors with their 24 grays are available. */
export function hasGreys(): boolean {
  return hasColours() && (stdout.isTTY ? stdout.getColorDepth() >= 8 : isOn(env.FORCE_COLOR))
}

/** Text in a style, or unchanged without colors. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = stdout): string {
  if (!hasColours(stream)) return text
  return util.styleText(style, text, { validateStream: false })
}

/** Styles of {@link paint} and of pictures: the only control sequences that reach a terminal. */
const STYLES = /(\u001b\[(?:0|1|2|22|39|3[1-6]|(?:;?[34]8;5;\d{1,3})+)m)/

/** A line made safe for a terminal: control characters in names from a file are shown instead of obeyed. Styles stay if there are colors. */
export function shownLine(line: string): string {
  // every second part is a style
  const parts = hasColours() ? line.split(STYLES) : [line]
  return parts.map((part, i) => (i % 2 === 1 ? part : visible(part))).join('')
}

/** A text of several lines, each as {@link shownLine} has it. */
export function shownLines(text: string): string {
  return text.split('\n').map(shownLine).join('\n')
}

/** Writes a line of output. */
export function print(line = ''): void {
  stdout.write(`${shownLine(line)}\n`)
}

/** Writes the lines of a text. */
export function printLines(text: string): void {
  for (const line of text.split('\n')) print(line)
}

/** Writes a sentence or two: in a terminal, in lines that end between words. */
export function printText(text: string, indent = ''): void {
  const lines = stdout.isTTY ? wrapped(text, columns() - indent.length) : [text]
  for (const [i, line] of lines.entries()) print(`${i === 0 ? '' : indent}${line}`)
}

/** Writes the line that describes an error. */
export function printError(message: string): void {
  stderr.write(`${paint('red', 'error:', stderr)} ${visible(message)}\n`)
}

/** Writes a line to stderr that a person should see, separate from the output. */
export function printNote(message: string): void {
  stderr.write(`${paint('yellow', 'note:', stderr)} ${visible(message)}\n`)
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}
