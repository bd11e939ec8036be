/** For each bundler a function that builds an entry with default settings, as a user's command would. It returns the folder that it wrote to. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'
import { textOf } from '../../ts/backend/wasm/module-text.js'
import { CACHE, run } from '../runtimes/consumer.js'

const TOOLS = path.join(CACHE, 'bundlers/node_modules')
const tool = (...parts: string[]) => path.join(TOOLS, ...parts)
const node = (args: string[], folder: string) =>
  run(process.execPath, args, { cwd: folder, timeout: 600_000, env: { NO_UPDATE_NOTIFIER: '1' } })

const page = (out: string, script: string) => {
  writeFileSync(
    path.join(out, 'index.html'),
    `<!doctype html>\n<meta charset="utf-8">\n<script type="module" src="./${script}"></script>\n`,
  )
}

/** From an entry of a project folder to the folder with the bundle. */
export type Bundler = (folder: string, entry: string) => Promise<string>

export const BUNDLERS: Record<string, Bundler> = {
  Vite: async (folder, entry) => {
    const root = path.join(folder, `vite-${entry}`)
    mkdirSync(root, { recursive: true })
    const html = readFileSync(path.join(folder, 'index.html'), 'utf8').replace('./app.mjs', `./${entry}`)
    for (const name of [entry, 'program.mjs']) writeFileSync(path.join(root, name), readFileSync(path.join(folder, name)))
    writeFileSync(path.join(root, 'index.html'), html)
    await node([tool('vite/bin/vite.js'), 'build', '--logLevel', 'warn', '--base', './'], root)
    return path.join(root, 'dist')
  },
  webpack: async (folder, entry) => {
    const out = path.join(folder, `webpack-${entry}`)
    await node([tool('webpack-cli/bin/cli.js'), 'build', '--entry', `./${entry}`, '--mode', 'production', '--output-path', out], folder)
    page(out, 'main.js')
    return out
  },
  esbuild: async (folder, entry) => {
    const out = path.join(folder, `esbuild-${entry}`)
    const args = ['--bundle', '--minify', '--format=esm', `--outfile=${path.join(out, 'main.js')}`, '--log-level=warning']
    await run(tool('esbuild/bin/esbuild'), [entry, ...args], { cwd: folder })
    page(out, 'main.js')
    return out
  },
  Rollup: async (folder, entry) => {
    const out = path.join(folder, `rollup-${entry}`)
    const { rollup } = await fromTools('rollup')
    const { nodeResolve } = await fromTools('@rollup/plugin-node-resolve')
    const warnings: string[] = []
    const bundle = await rollup({
      input: path.join(folder, entry),
      plugins: [nodeResolve()],
      onwarn: (warning: Error) => warnings.push(warning.message),
    })
    await bundle.write({ dir: out, format: 'es', entryFileNames: 'main.js' })
    await bundle.close()
    if (warnings.length > 0) throw new Error(`Rollup warns: ${warnings.join('; ')}`)
    // Rollup has no minifier of its own; esbuild's is the usual one.
    const file = path.join(out, 'main.js')
    await run(tool('esbuild/bin/esbuild'), [
      file,
      '--minify',
      '--format=esm',
      `--outfile=${file}`,
      '--allow-overwrite',
      '--log-level=warning',
    ])
    page(out, 'main.js')
    return out
  },
}

// biome-ignore lint/suspicious/noExplicitAny: no types here, the bundlers are installed apart
async function fromTools(name: string): Promise<any> {
  return import(pathToFileURL(createRequire(path.join(TOOLS, 'x.js')).resolve(name)).href)
}

/** All JavaScript below a folder, as text. */
export function scriptsOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?js$/.test(name))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n')
}

export const gzipped = (text: string) => gzipSync(text, { level: 9 }).length

/** Gzip sizes of a bundle of the core, whole and without its WebAssembly. */
export function coreSizes(text: string): { script: number; whole: number } {
  const modules = modulesIn(text)
  const all = readdirSync('ts/backend/wasm/generated').filter((name) => /^(?!worker).*\.ts$/.test(name))
  if (modules.length !== all.length)
    throw new Error(
      `a bundle of all of gradus holds ${modules.length} texts of WebAssembly instead of ${all.length}, the core and each part`,
    )
  const script = modules.reduce((rest, module) => rest.replace(module, () => ''), text)
  return { script: gzipped(script), whole: gzipped(text) }
}

/** The texts of WebAssembly in a bundle (ts/backend/wasm/module-text.ts). A parser finds them, as they may have quotes in them. */
export function modulesIn(text: string): string[] {
  const magic = textOf(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
  const source = ts.createSourceFile('bundle.js', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && node.text.startsWith(magic)) found.push(node.getText(source).slice(1, -1))
    else ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
