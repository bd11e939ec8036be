/**
 * Publishes the packed package to a registry that exists for as long as this program, on the loopback address, and installs it from there into an
 * empty project, as a user will: `make publish-dry-run`. Not tried, because only the real registry can show it: provenance, and signing in without a
 * token.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'

/** npm's request to publish: the metadata, and the tarball in base64. */
interface Publication {
  name: string
  'dist-tags': Record<string, string>
  versions: Record<string, { dist: { tarball: string; integrity: string; shasum: string } }>
  _attachments: Record<string, { data: string }>
}

/** A minimal npm registry, for one package. */
async function registry(): Promise<{ url: string; published: Map<string, Publication>; close(): void }> {
  const published = new Map<string, Publication>()
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent((request.url ?? '/').slice(1))
    if (request.method === 'PUT') {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      published.set(name, JSON.parse(Buffer.concat(parts).toString()))
      response.writeHead(201, { 'content-type': 'application/json' }).end('{"ok":true}')
      return
    }
    const [owner, file] = name.split('/-/')
    const found = published.get(owner)
    if (!found) response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
    else if (file) response.end(Buffer.from(found._attachments[file].data, 'base64'))
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, published, close: () => server.close() }
}

const { positionals } = parseArgs({ allowPositionals: true })
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'))
const tarball = path.resolve(positionals[0] ?? `${name}-${version}.tgz`)
const workspace = mkdtempSync(path.join(tmpdir(), 'gradus-publish-'))
const { url, published, close } = await registry()
try {
  const config = path.join(workspace, 'npmrc')
  writeFileSync(config, `registry=${url}\n${url.replace('http:', '')}:_authToken=of-this-run-alone\n`)
  const env = { ...process.env, npm_config_userconfig: config, npm_config_registry: url, npm_config_cache: path.join(workspace, 'cache') }
  const run = (command: string, args: string[], cwd: string) => promisify(execFile)(command, args, { cwd, env, maxBuffer: 1 << 26 })

  await run('npm', ['publish', tarball, '--access', 'public', '--ignore-scripts', '--loglevel=error'], workspace)
  const found = published.get(name)
  if (!found) throw new Error(`publish-dry-run: npm published ${[...published.keys()].join(', ') || 'nothing'}, not ${name}`)
  const { dist } = found.versions[version]
  const hash = createHash('sha512').update(readFileSync(tarball)).digest('base64')
  if (dist.integrity !== `sha512-${hash}`) throw new Error('publish-dry-run: the registry has another tarball than this folder')
  console.log(`published ${name} ${version}, latest is ${found['dist-tags'].latest}`)
  dist.tarball = `${url}${name}/-/${Object.keys(found._attachments)[0]}`

  const project = path.join(workspace, 'project')
  mkdirSync(project)
  writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
  const installed = await run('npm', ['install', name, '--no-audit', '--no-fund'], project)
  console.log(installed.stdout.trim())
  writeFileSync(
    path.join(project, 'first.js'),
    `import { trainTable } from '${name}/table'
const { report } = await trainTable('node_modules/${name}/docs/guide/iris.csv', { target: 'species' })
if (report.metrics[0].value < 0.9) throw new Error('it did not learn')
console.log('the first program of the README runs')
`,
  )
  console.log((await run(process.execPath, ['first.js'], project)).stdout.trim())
  const shown = await run(process.execPath, [path.join('node_modules', name, 'dist/cli.js'), '--version'], project)
  if (!shown.stdout.includes(version)) throw new Error(`publish-dry-run: the command says ${shown.stdout.trim()}, wants ${version}`)
  console.log(`the command is ${shown.stdout.trim()}`)
} finally {
  close()
  rmSync(workspace, { recursive: true, force: true })
}
