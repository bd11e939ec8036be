/**
 * Puts the site together in site/: the landing page, the playground, and what typedoc has written to site/docs. A link to a lesson that
 * has a paragraph of its own becomes a small live piece of the playground. Run by `make site`.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeLink } from '../src/link.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const HOME = 'https://gradus-js.github.io/gradus/'

cpSync(path.join(root, 'playground/dist'), path.join(root, 'site/playground'), { recursive: true })
cpSync(path.join(root, 'playground/landing'), path.join(root, 'site'), { recursive: true })
/** The live map of the landing page: where descent ends from every start, among four minima. */
const HERO = {
  ...{ surface: 'himmelblau', everyStart: true, showState: false, steps: 150, speed: 15 },
  start: [0.5, -0.5],
  racers: [
    { method: 'SGD', rate: 0.01, options: {} },
    { method: 'Momentum', rate: 0.03, options: {} },
  ],
}
const landing = path.join(root, 'site/index.html')
writeFileSync(landing, readFileSync(landing, 'utf8').replace('@HERO@', encodeLink('descent', HERO, {})))
cpSync(path.join(root, 'docs/playground.gif'), path.join(root, 'site/playground.gif'))
cpSync(path.join(root, 'bench/results/overview.svg'), path.join(root, 'site/overview.svg'))

let pieces = 0
for (const file of readdirSync(path.join(root, 'site/docs'), { recursive: true })) {
  if (!file.endsWith('.html')) continue
  const up = '../'.repeat(file.split(path.sep).length)
  const before = readFileSync(path.join(root, 'site/docs', file), 'utf8')
  const after = before
    .replace(new RegExp(`<p><a href="${HOME}playground/(#[^"]+)"[^>]*>([^<]+)</a></p>`, 'g'), (_, hash, title) => {
      pieces++
      return `<p><iframe src="${up}playground/?embed${hash}" title="${title}" loading="lazy" style="width:100%;height:520px;border:1px solid #8884;border-radius:10px"></iframe></p>`
    })
    .replaceAll(HOME, up)
  if (after !== before) writeFileSync(path.join(root, 'site/docs', file), after)
}
console.log(`site/index.html: landing page, playground, guides with ${pieces} live pieces, reference`)
