// Runs the code cells of a notebook, one after the other, without Jupyter, and writes what it shows to a page: node run.js penguins.ipynb
import { readFileSync, writeFileSync } from 'node:fs'

const file = process.argv[2] ?? 'learning-rate.ipynb'
const { cells } = JSON.parse(readFileSync(file, 'utf8'))

/** A cell whose last line is an expression shows its value. */
function shown(source) {
  const last = source.at(-1)
  return /^[\w.]+$|^view\(/.test(last) ? [...source.slice(0, -1), `await __show(${last})`] : source
}

const page = []
globalThis.__show = async (value) => {
  const formats = await value[Symbol.for('Jupyter.display')]()
  console.log(formats['text/plain'] ?? '')
  page.push(formats['image/svg+xml'] ?? formats['text/html'] ?? `<pre>${formats['text/plain']}</pre>`)
}
globalThis.__text = (text) => page.push(`<p>${text}</p>`)

const code = cells.map(({ cell_type, source }) =>
  cell_type === 'code' ? shown(source).join('') : `__text(${JSON.stringify(source.join('').replace(/^#+ /, ''))})`,
)
writeFileSync('cells.mjs', code.join('\n;\n'))
await import('./cells.mjs')
writeFileSync(
  file.replace('.ipynb', '.html'),
  `<!doctype html><meta charset="utf-8"><body style="font: 16px system-ui; max-width: 50em">${page.join('\n')}`,
)
