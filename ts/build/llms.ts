/**
 * Writes llms.txt, a summary of gradus for language models that write programs: docs/guide/one-page.md and a list of the guides. `make llms` runs
 * this. With `--full FILE` it writes all guides into one file, too, as `make site` does.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const FILE = 'llms.txt'
const GUIDES = 'docs/guide'
const PAGE = 'one-page.md'
const REPOSITORY = 'https://github.com/gradus-js/gradus'

/** Files of the guides, in the order of their index. */
function guides(): string[] {
  const index = readFileSync(`${GUIDES}/README.md`, 'utf8')
  return [...new Set([...index.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, file]) => file))]
}

/** Title and text of a page. */
function read(file: string): { title: string; text: string } {
  const [heading, ...lines] = readFileSync(file, 'utf8').split('\n')
  return { title: heading.replace(/^# /, ''), text: lines.join('\n').trim() }
}

/** The text of llms.txt. */
export function short(): string {
  const list = guides()
    .filter((file) => file !== PAGE)
    .map((file) => `- [${read(`${GUIDES}/${file}`).title}](${file})`)
  return `# gradus

> Trains small and medium neural nets fast on the CPU, from TypeScript and JavaScript: \`npm install gradus\`. WebAssembly inside, no dependencies.
> Dense nets, embeddings, optimizers, tables, forecasts, streams, tuning, second order, convolution, recurrent layers, attention; no GPU.

${read(`${GUIDES}/${PAGE}`).text}

## Guides

In node_modules/gradus/docs/guide, and at ${REPOSITORY}/tree/main/docs/guide; types and docstrings are in the package.

${list.join('\n')}
`
}

/** All guides in one text. */
export function full(): string {
  const pages = [...guides().map((file) => `${GUIDES}/${file}`), 'docs/optimizers.md'].map((file) => {
    const { title, text } = read(file)
    return `# ${title}\n\nSource: ${REPOSITORY}/blob/main/${file}\n\n${text}\n`
  })
  return pages.join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILE, short())
  const at = process.argv.indexOf('--full')
  if (at > 0) writeFileSync(path.resolve(process.argv[at + 1]), full())
}
