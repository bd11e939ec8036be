/** The comments of the optimizer classes, which tests check, and from which docs/optimizers.md is made. */
import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('../../ts/optim/', import.meta.url)
const SOURCE = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(new URL(file, FOLDER), 'utf8'))

/** The comment right before a class, without its stars. */
export function commentOf(name: string): string {
  for (const text of SOURCE) {
    const at = text.search(new RegExp(`^export class ${name}\\b`, 'm'))
    if (at >= 0) return text.slice(text.lastIndexOf('/**', at), at).replace(/^ ?\*\/?[ ]?/gm, '')
  }
  throw new Error(`there is no class ${name} in ts/optim/`)
}

/** The line of a comment's formulas that changes p, as `p −= step`; '' if there is none. */
export function updateIn(comment: string): string {
  const line = /^ {4}.*?\bp ← (.*)$/m.exec(comment)?.[1]?.trim() ?? ''
  return line.startsWith('p − ') ? `p −= ${line.slice(4)}` : line && `p = ${line}`
}

/** The papers that a comment names: authors and year. */
export function papersIn(comment: string): string {
  const [text] = comment.replace(/\s+/g, ' ').split('@example')
  return [...text.matchAll(/\p{Lu}[\p{L}-]+(?:(?:, \p{Lu}[\p{L}-]+)* & \p{Lu}[\p{L}-]+| et al\.)? (?:19|20)\d\d\b/gu)]
    .map(([paper]) => paper)
    .join('; ')
}
