/** Writes dist/THIRD-PARTY-NOTICES.md: the licenses of the libraries and crates in the package, which require that they are included. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'esbuild'

/** Libraries of all builds so far. */
const names = new Set<string>()

export const notices: Plugin = {
  name: 'notices',
  setup(build) {
    build.initialOptions.metafile = true
    build.onEnd(({ metafile }) => {
      for (const file of Object.keys(metafile?.inputs ?? {})) {
        const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
        if (name) names.add(name)
      }
      const texts = [...names].sort().map(noticeOf)
      mkdirSync('dist', { recursive: true })
      const crates = linkedCrates().map(({ name, version, license, folder }) =>
        notice(name, version, license, folder, /^licen[cs]e-(?!apache)/i),
      )
      const chapters = [
        `# Libraries inside this package\n\n${texts.join('\n')}`,
        `# Rust crates inside the WebAssembly\n\n${crates.join('\n')}`,
      ]
      writeFileSync('dist/THIRD-PARTY-NOTICES.md', chapters.join('\n'))
    })
  },
}

function noticeOf(name: string): string {
  const folder = `node_modules/${name}`
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  return notice(name, version, license, folder, /^licen[cs]e/i)
}

function notice(name: string, version: string, license: string, folder: string, isLicence: RegExp): string {
  const files = readdirSync(folder).filter((entry) => isLicence.test(entry))
  if (files.length === 0) throw new Error(`${name} goes into the package and has no licence file`)
  const texts = files.sort().map((file) => readFileSync(path.join(folder, file), 'utf8').trim())
  return `## ${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`
}

/** A crate that is linked into the WebAssembly. */
interface Crate {
  name: string
  version: string
  license: string
  folder: string
}

interface Metadata {
  packages: { id: string; name: string; version: string; license: string; manifest_path: string; targets: { kind: string[] }[] }[]
  resolve: { root: string; nodes: { id: string; deps: { pkg: string; dep_kinds: { kind: string | null }[] }[] }[] }
}

/** The crates that the crate of kernels links at run time, without crates for macros and build scripts: sorted by name, and without the crate itself. */
export function linkedCrates(): Crate[] {
  const args = ['metadata', '--format-version', '1', '--offline', '--locked', '--filter-platform', 'wasm32-unknown-unknown']
  const { packages, resolve } = JSON.parse(execFileSync('cargo', args, { encoding: 'utf8', maxBuffer: 1 << 26 })) as Metadata
  const found = new Map<string, Crate>()
  const pending = [resolve.root]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const crate = packages.find((p) => p.id === id) as Metadata['packages'][number]
    if (found.has(id) || crate.targets.some(({ kind }) => kind.includes('proc-macro'))) continue
    found.set(id, { name: crate.name, version: crate.version, license: crate.license, folder: path.dirname(crate.manifest_path) })
    const { deps } = resolve.nodes.find((node) => node.id === id) as Metadata['resolve']['nodes'][number]
    for (const { pkg, dep_kinds } of deps) if (dep_kinds.some(({ kind }) => kind === null)) pending.push(pkg)
  }
  found.delete(resolve.root)
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
