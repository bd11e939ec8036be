/** Projects as users have them: an empty folder into which the packed tarball was installed. */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Heavy tools live in this ignored folder and stay there between runs. */
export const CACHE = path.resolve('.cache')

/**
 * @param packageRoot what to pack; its dist/ must be built
 * @param fixtures files to copy into the project
 */
export function makeProject(packageRoot: string, fixtures: readonly string[]): { folder: string; remove: () => void } {
  const workspace = mkdtempSync(path.join(tmpdir(), 'gradus-consumer-'))
  const project = path.join(workspace, 'project')
  mkdirSync(project)
  for (const file of fixtures) cpSync(file, path.join(project, path.basename(file)))
  writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
  const report = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', workspace], packageRoot))
  const { filename } = Array.isArray(report) ? report[0] : Object.values(report)[0]
  const said = npm(['install', path.join(workspace, filename), '--offline', '--no-audit', '--no-fund'], project)
  if (/warn/i.test(said)) throw new Error(`npm install warns:\n${said}`)
  return { folder: project, remove: () => rmSync(workspace, { recursive: true, force: true }) }
}

/** Installs the exact versions of folder/package.json into .cache/NAME, unless they are there. Returns the folder. */
export function installTools(name: string, folder: string): string {
  const target = path.join(CACHE, name)
  const wanted = readFileSync(path.join(folder, 'package.json'), 'utf8')
  const done = path.join(target, 'installed.json')
  if (readIfThere(done) === wanted) return target
  mkdirSync(target, { recursive: true })
  writeFileSync(path.join(target, 'package.json'), wanted)
  console.log(`installing ${name} into .cache/${name}`)
  npm(['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--loglevel=error'], target)
  writeFileSync(done, wanted)
  return target
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function npm(args: string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
}

interface RunOptions {
  cwd?: string
  timeout?: number
  env?: Record<string, string>
}

/** Runs a command to its end; rejects with its output unless it ends well and in time. */
export function run(command: string, args: readonly string[], { cwd, timeout = 600_000, env = {} }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, timeout, env: { ...process.env, ...env }, encoding: 'utf8' as const, maxBuffer: 1 << 26 }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${path.basename(command)} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`))
      else resolve(stdout)
    })
  })
}
