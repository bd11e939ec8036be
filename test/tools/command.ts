/** The command `gradus`, from source: in this process, which takes milliseconds, or as a child process, for signals, streams and exit codes. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { Readable } from 'node:stream'
import { vi } from 'vitest'
import { run } from '../../ts/cli/command.js'
import { defaultBackend, load } from '../../ts/index.js'

/** The output of a command, and its exit code. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Options for running a command. */
export interface RunOptions {
  /** The working directory. Default: this one. */
  cwd?: string
  /** Default: none of the variables that decide on colors. */
  env?: Record<string, string>
  /** Text or bytes that come in by stdin. Default: nothing. */
  stdin?: string | Uint8Array
}

const COLORS = ['FORCE_COLOR', 'NO_COLOR'] as const
const MAIN = path.resolve('ts/cli/main.ts')
const LOADER = path.resolve('node_modules/tsx/dist/loader.mjs')

/** Commands share `process`, so each waits for the previous one. */
let queue: Promise<unknown> = Promise.resolve()

/** Runs a command in this process. Commands that run at once take turns; the default backend is afterwards as it was. */
export function gradus(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = queue.then(() => runHere(args, options))
  queue = outcome.catch(() => {})
  return outcome
}

async function runHere(args: readonly string[], { cwd, env = {}, stdin = '' }: RunOptions): Promise<Outcome> {
  const out = { stdout: '', stderr: '' }
  const capture = (name: 'stdout' | 'stderr') =>
    vi.spyOn(process[name], 'write').mockImplementation((text, ...rest) => {
      out[name] += typeof text === 'string' ? text : Buffer.from(text).toString()
      const done = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined
      done?.()
      return true
    })
  const own = Readable.from([Buffer.from(stdin)]) as unknown as typeof process.stdin
  const spies = [
    ...[capture('stdout'), capture('stderr')],
    ...(['log', 'info'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((text = '') => void (out.stdout += `${text}\n`)),
    ),
    ...(['warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((text = '') => void (out.stderr += `${text}\n`)),
    ),
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(own),
  ]
  const before = { folder: process.cwd(), exitCode: process.exitCode, backend: defaultBackend(), env: { ...process.env } }
  for (const name of COLORS) delete process.env[name]
  Object.assign(process.env, env)
  process.exitCode = undefined
  if (cwd !== undefined) process.chdir(cwd)
  try {
    await run(args)
    return { code: Number(process.exitCode ?? 0), ...out }
  } finally {
    process.chdir(before.folder)
    process.exitCode = before.exitCode
    for (const name of [...COLORS, ...Object.keys(env)]) {
      if (before.env[name] === undefined) delete process.env[name]
      else process.env[name] = before.env[name]
    }
    for (const spy of spies) spy.mockRestore()
    if (defaultBackend() !== before.backend) await load()
  }
}

/** Runs a command as a child process; `stopAt`: sends Ctrl-C as soon as the output contains this. */
export function spawned(
  args: readonly string[],
  { cwd = '.', env = {}, stdin = '', stopAt }: RunOptions & { stopAt?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...rest } = process.env
    const child = spawn(process.execPath, [...commandLine, ...args], { cwd, env: { ...rest, ...env } })
    const out = { stdout: '', stderr: '' }
    let stopped = false
    child.stdout.on('data', (chunk) => {
      out.stdout += chunk
      if (stopAt === undefined || stopped || !out.stdout.includes(stopAt)) return
      stopped = true
      child.kill('SIGINT')
    })
    child.stderr.on('data', (chunk) => (out.stderr += chunk))
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...out }))
  })
}

/** Arguments of Node that start the command, in any folder. */
export const commandLine: readonly string[] = ['--import', LOADER, MAIN]

/** The start of a training that takes a moment. */
export const SMALL = ['train', 'moons', '--backend', 'js', '--no-compare', '--epochs', '3']
