/** The site of `make docs`: it builds without a warning, everything public has a page in a category, and no link is broken. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { publicExports } from '../tools/examples.js'

const site = path.resolve('.cache/site')
const config = JSON.parse(readFileSync('docs/typedoc.json', 'utf8'))

describe('the site', () => {
  let said = ''

  beforeAll(async () => {
    rmSync(site, { recursive: true, force: true })
    const typedoc = path.resolve('node_modules/typedoc/bin/typedoc')
    const args = [typedoc, '--options', 'docs/typedoc.json', '--out', site, '--logLevel', 'Warn']
    const run = promisify(execFile)(process.execPath, args)
    const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error)
    said = stdout + stderr
  })

  test('builds without a warning', () => {
    expect(said).toBe('')
  })

  test('has a page for every guide', () => {
    const guides = readdirSync('docs/guide').filter((file) => file.endsWith('.md') && file !== 'README.md')
    expect(guides.filter((file) => !config.projectDocuments.includes(`./guide/${file}`))).toEqual([])
    expect(readdirSync(path.join(site, 'documents')).length).toBe(config.projectDocuments.length)
  })

  test('has a page for everything public', () => {
    const pages = new Set(
      ['classes', 'functions', 'interfaces', 'types', 'variables'].flatMap((folder) => readdirSync(path.join(site, folder))),
    )
    const shown = publicExports().filter(({ tags }) => !tags.includes('internal'))
    const last = (name: string) => name.split('.').at(-1)
    // An export that is in `gradus` and in a namespace of it has one page.
    const paged = new Set([...pages].map((page) => last(page.replace(/\.html$/, ''))))
    expect(shown.filter(({ name }) => !paged.has(last(name))).map(({ name }) => name)).toEqual([])
  })

  test('sorts them into the categories there are', () => {
    const entries = readdirSync(path.join(site, 'modules')).map((page) => readFileSync(path.join(site, 'modules', page), 'utf8'))
    const found = entries.flatMap((page) =>
      [...page.matchAll(/([A-Z]\w+)<a href="#[^"]*" aria-label="Permalink"/g)].map(([, name]) => name),
    )
    expect(config.categoryOrder.slice(2).filter((name: string) => name !== '*' && !found.includes(name))).toEqual([])
  })

  test('has the pages that the playground and the landing page link to', () => {
    const sources = ['playground/src/app.tsx', 'playground/landing/index.html'].map((file) => readFileSync(file, 'utf8')).join('\n')
    const pages = Array.from(sources.matchAll(/(?:\$\{SITE\}|href=")docs\/([\w/.-]*)/g), ([, page]) => page || 'index.html')
    expect(pages).toContain('modules/gradus.html')
    expect(pages.filter((page) => !existsSync(path.join(site, page)))).toEqual([])
  })

  test('has no broken link', () => {
    const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'))
    const broken = pages.flatMap((page) => {
      const links = readFileSync(path.join(site, page), 'utf8').matchAll(/(?:href|src)="(?![a-z]+:|#)([^"#?]+)/g)
      const targets = new Set([...links].map(([, link]) => decodeURI(link)))
      return [...targets].filter((link) => !existsSync(path.join(site, path.dirname(page), link))).map((link) => `${page}: ${link}`)
    })
    expect(pages.length).toBeGreaterThan(300)
    expect(broken).toEqual([])
  })
})
