/**
 * Browsers that open a page, which trains and posts its results. No driver is needed, so any browser will do.
 * A small server serves the installed package as it is, sends the pages one after the other, and gathers the reports.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Expected, FULL, failure, type Report } from './report.js'

const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.html': 'text/html',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
}
const CSP = "default-src 'self'; script-src 'self'"

/** Words of the warnings on a page without the headers for threads, and on a page whose policy forbids the workers. */
const HEADERS = 'Cross-Origin-Opener-Policy'
const ALONE = { threads: 'one', warnings: [HEADERS] } as const

/**
 * Pages of the runtime test: each loads one script of pages.mjs. `csp` is the header that it is served with; `isolated` pages are
 * served with the headers that give them SharedArrayBuffer.
 */
export const PAGES: Record<string, Omit<Page, 'name' | 'url'> & { title: string; expected: Expected }> = {
  module: { title: '<script type=module>', expected: ALONE },
  worker: { title: 'Web Worker', expected: { ...ALONE, worker: true } },
  'service-worker': { title: 'service worker', expected: { ...ALONE, worker: true } },
  'csp-wasm': { title: "CSP 'wasm-unsafe-eval'", csp: `${CSP} 'wasm-unsafe-eval'`, expected: ALONE },
  'csp-strict': {
    title: "CSP without 'wasm-unsafe-eval'",
    csp: CSP,
    expected: { threads: 'one', warnings: ['wasm-unsafe-eval', 'reproducible: true'], blocked: true },
  },
  isolated: { title: 'isolated', isolated: true, expected: FULL },
  'isolated-worker': { title: 'isolated, Web Worker', isolated: true, expected: { ...FULL, worker: true } },
  'isolated-csp': {
    title: 'isolated, CSP without blob:',
    isolated: true,
    csp: `${CSP} 'wasm-unsafe-eval'`,
    expected: { threads: 'one', warnings: ['blob: in worker-src'] },
  },
  'isolated-csp-blob': {
    title: 'isolated, CSP with blob:',
    isolated: true,
    csp: `${CSP} 'wasm-unsafe-eval'; worker-src blob:`,
    expected: FULL,
  },
}

export type BrowserName = 'chromium' | 'firefox'

export const BROWSERS: Record<BrowserName, { title: string; command: string; args: (profile: string) => string[] }> = {
  chromium: {
    title: 'Chromium',
    command: '/usr/bin/chromium',
    args: (profile) => [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...[
        '--disable-component-update',
        '--disable-sync',
        '--disable-dev-shm-usage',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
      ],
    ],
  },
  firefox: { title: 'Firefox', command: '/usr/bin/firefox-esr', args: (profile) => ['--headless', '--no-remote', '--profile', profile] },
}

export interface Page {
  name: string
  url: string
  csp?: string
  /** Served with the headers of cross-origin isolation. */
  isolated?: boolean
}

/**
 * Opens the pages one after the other, each when the previous page has reported.
 * @param roots URL prefix → folder
 * @returns reports by page name; a page that did not report has `{ error }`
 */
export async function visit(
  browser: BrowserName,
  pages: readonly Page[],
  roots: Record<string, string>,
  timeout = 600_000,
): Promise<Record<string, Report>> {
  const reports: Record<string, Report> = {}
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const server = await serve(pages, roots, (page, report) => {
    reports[page] ??= report
    const next = pages[pages.findIndex(({ name }) => name === page) + 1]
    if (!next) setTimeout(finish, 100)
    return next?.url ?? ''
  })
  const profile = mkdtempSync(path.join(tmpdir(), `gradus-${browser}-`))
  const child = open(browser, server.home + pages[0].url, profile)
  child.on('error', () => finish())
  const timer = setTimeout(() => finish(), timeout)
  await finished
  clearTimeout(timer)
  await end(child)
  server.close()
  rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  for (const { name } of pages) reports[name] ??= failure(`no report within ${timeout / 1000} s`)
  return reports
}

/**
 * Serves files, and takes reports of pages.
 * @param roots URL prefix → folder
 * @param onReport returns the address of the next page, or ''
 */
export async function serve(
  pages: readonly Page[],
  roots: Record<string, string>,
  onReport: (page: string, report: Report) => string,
): Promise<{ home: string; close(): void }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method === 'POST' && url.pathname === '/report') {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        const { page, ...report } = JSON.parse(body)
        response.end(onReport(page, report))
      })
      return
    }
    const prefix = Object.keys(roots).find((root) => url.pathname.startsWith(root))
    const file = prefix && path.join(roots[prefix], url.pathname.slice(prefix.length))
    if (!file || !existsSync(file)) {
      response.writeHead(404).end()
      return
    }
    const served = pages.find((page) => page.url === url.pathname + url.search)
    const isolated = served?.isolated || url.search === '?isolated'
    response.writeHead(200, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'cache-control': 'no-store',
      ...(served?.csp ? { 'content-security-policy': served.csp } : {}),
      ...(isolated ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' } : {}),
    })
    response.end(readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    home: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Starts a browser, in a group of its own, so that its helpers end with it. */
export function open(browser: BrowserName, url: string, profile: string): ChildProcess {
  const { command, args } = BROWSERS[browser]
  const options = { stdio: 'ignore', detached: true, env: { ...process.env, HOME: profile } } as const
  return spawn(command, [...args(profile), url], options)
}

/** Ends a browser that {@link open} started, with SIGKILL. */
export function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.pid === undefined) return resolve()
    child.on('exit', () => resolve())
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      resolve()
    }
  })
}
