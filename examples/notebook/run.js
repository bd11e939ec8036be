// Runs the code cells of the notebook, one after the other, without Jupyter.
import { readFileSync, writeFileSync } from 'node:fs'

const { cells } = JSON.parse(readFileSync('learning-rate.ipynb', 'utf8'))
const code = cells.filter((cell) => cell.cell_type === 'code').map(({ source }) => source.join(''))
writeFileSync('cells.mjs', code.join('\n;\n'))
await import('./cells.mjs')
