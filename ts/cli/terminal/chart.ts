/** Charts in the terminal, with a legend. */
import { textChart } from '../../plot/index.js'
import { paint, type Style } from './terminal.js'

const STYLES: readonly Style[] = ['cyan', 'yellow', 'green', 'red', 'bold', 'dim']

/** Input of {@link chartLines}. */
export interface NamedLine {
  name: string
  x: readonly number[]
  y: readonly number[]
}

/** Lines of a chart and, below, its legend. */
export function chartLines(
  lines: readonly NamedLine[],
  { caption = '', ...options }: { width: number; height: number; logX?: boolean; logY?: boolean; caption?: string },
): string[] {
  const style = (line: number): Style => STYLES[line % STYLES.length]
  const given = options.logX ? lines.map((line) => ({ ...line, x: line.x.map(Math.log) })) : lines
  const chart = textChart(given, {
    width: options.width,
    height: options.height,
    logY: options.logY ?? false,
    paint: (text, line) => paint(style(line), text),
  })
  const legend = lines.map(({ name }, i) => paint(style(i), `━ ${name}`)).join('  ')
  return [...chart, `  ${legend}${caption ? paint('dim', `   ${caption}`) : ''}`]
}
