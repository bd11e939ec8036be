/** Lines of CSV that commands print. */
import type { FileOptions } from '../options/table.js'

/** A function that writes cells as a line of CSV: with semicolons and decimal commas if the input file has them. */
export function lineWriter(decimal: FileOptions['decimal'] = '.'): (cells: readonly unknown[]) => string {
  const isEuropean = decimal === ','
  const special = isEuropean ? /[";\r\n]/ : /[",\r\n]/
  return (cells) =>
    cells
      .map((cell) => {
        const plain = cell === null || cell === undefined ? '' : String(cell)
        const text = isEuropean && /^-?\d*\.\d+(e-?\d+)?$/i.test(plain) ? plain.replace('.', ',') : plain
        return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text
      })
      .join(isEuropean ? ';' : ',')
}
