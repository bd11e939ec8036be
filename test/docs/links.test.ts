/**
 * Everything that documents refer to exists: files behind links, headings behind anchors, paths in text. Documents in the package link only to files
 * in the package, or to the repository by its address.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const REPOSITORY = 'https://github.com/gradus-js/gradus/'
const DOCUMENTS = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(file))
/** Documents for people who work on gradus: every path that they name in code quotes is checked. */
const FOR_CONTRIBUTORS = DOCUMENTS.filter((file) => /^(ARCHITECTURE|CONTRIBUTING)\.md$|^docs\/design\/|^\.github\//.test(file))

/** All files that npm packs: those named in package.json, what is in folders named there but for `!folder`, and the ones it always takes. */
function packedFiles(): string[] {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] }
  const inside = (name: string): string[] =>
    statSync(name).isDirectory() ? readdirSync(name).flatMap((entry) => inside(path.posix.join(name, entry))) : [name]
  const leftOut = files.filter((name) => name.startsWith('!')).map((name) => `${name.slice(1)}/`)
  const named = files.filter((name) => name !== 'dist' && !name.startsWith('!')).flatMap(inside)
  return [...named.filter((name) => !leftOut.some((folder) => name.startsWith(folder))), 'README.md', 'LICENSE', 'package.json']
}

/** Markdown without code blocks. */
function prose(file: string): string {
  return readFileSync(file, 'utf8').replace(/^ *```[\s\S]*?^ *```$/gm, '')
}

function linksOf(file: string): string[] {
  return [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
}

/** A link to the repository by its address, as a relative one of this document. */
function asRelative(document: string, link: string): string {
  const inside = `${REPOSITORY}blob/main/`
  return link.startsWith(inside) ? path.posix.relative(path.posix.dirname(document), link.slice(inside.length)) : link
}

/** The file that a relative link of a document leads to. */
function targetOf(document: string, link: string): string {
  const [file] = link.split('#')
  return file === '' ? document : path.posix.join(path.posix.dirname(document), file)
}

const isRelative = (link: string) => !/^[a-z]+:/.test(link)

/** Headings as GitHub names them: a heading that occurs again gets a number. */
function anchorsOf(file: string): string[] {
  const seen = new Map<string, number>()
  return [...prose(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) => {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  })
}

describe.each(DOCUMENTS)('%s', (document) => {
  const links = linksOf(document).map((link) => asRelative(document, link))

  test('links to files that exist', () => {
    expect(links.filter((link) => isRelative(link) && !existsSync(targetOf(document, link)))).toEqual([])
  })

  test('links to headings that exist', () => {
    const broken = links.filter((link) => {
      const anchor = link.split('#')[1]
      const target = targetOf(document, link)
      return isRelative(link) && anchor !== undefined && target.endsWith('.md') && existsSync(target) && !anchorsOf(target).includes(anchor)
    })
    expect(broken).toEqual([])
  })
})

describe('the package', () => {
  const packed = packedFiles()

  test.each(packed.filter((file) => file.endsWith('.md')))('%s links to nothing outside', (document) => {
    // Pictures are not in the package, so each needs a text.
    const pictures = [...prose(document).matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)]
    for (const [, text, picture] of pictures) expect(text.length, `${picture} wants a text that says what it shows`).toBeGreaterThan(40)
    const shown = pictures.map(([, , picture]) => picture)
    const outside = linksOf(document).filter(
      (link) => isRelative(link) && !shown.includes(link) && !packed.includes(targetOf(document, link)),
    )
    expect(outside, `add them to 'files' in package.json, or link to ${REPOSITORY}blob/main/…`).toEqual([])
  })
})

describe('documents for contributors', () => {
  test.each(FOR_CONTRIBUTORS)('%s: paths in the text exist', (document) => {
    const named = [
      ...prose(document).matchAll(
        /`((?:ts|crate|test|bench|docs|\.github)\/[^\s`]*|[A-Z]+\.md|Makefile|Cargo\.toml|package\.json|\w+\.config\.ts)`/g,
      ),
    ].map((match) => match[1])
    // Names with a placeholder, `ts/optim/<name>.ts`, stand for a file to make: its folder has to exist. Build products need not exist.
    const missing = named.filter((name) => {
      if (name.includes('/generated')) return false
      const known = name.replace(/[<*{].*$/, '')
      return !existsSync(known.endsWith('/') || known === name ? known : path.posix.dirname(known))
    })
    expect(missing).toEqual([])
  })

  test('ARCHITECTURE.md can be read in ten minutes', () => {
    expect(statSync('ARCHITECTURE.md').size, 'bytes; move what explains one decision to docs/design').toBeLessThanOrEqual(8192)
  })
})
