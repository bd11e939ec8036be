/** Servers for tests: a real redis-server and a real PostgreSQL, each on a free port with its files in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A server that runs for a test. */
export interface Server {
  readonly url: string
  /** Its files. */
  readonly folder: string
  start(): Promise<void>
  stop(): Promise<void>
  /** Ends the server like a loss of power. */
  crash(): Promise<void>
  /** Removes its files. */
  remove(): void
}

/** The path of a server's programs; undefined if they are neither installed nor can be unpacked. */
function programs(script: string): string | undefined {
  try {
    return execFileSync(`test/tune/queue/${script}`, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

/** The path of a redis-server, found or unpacked. */
export const redisServer = (): string | undefined => programs('redis.sh')

/** The folder with PostgreSQL's programs, found or unpacked; undefined also if there is no user to run it: PostgreSQL refuses to run as root. */
export function postgresFolder(): string | undefined {
  const folder = programs('postgres.sh')
  return folder !== undefined && (!isRoot() || userId('nobody') !== undefined) ? folder : undefined
}

/** A Redis that by default writes each change to disk before it answers; `fsync` sets another way. */
export async function redis(server: string, { address = '127.0.0.1', fsync = 'always' } = {}): Promise<Server> {
  const port = await freePort(address)
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-redis-'))
  const options = ['--port', String(port), '--dir', folder, '--appendonly', 'yes', '--appendfsync', fsync, '--save', '']
  options.push('--bind', address, '--protected-mode', 'no')
  const start = () => spawn(server, options, { env: withLibraries(path.dirname(server)), stdio: ['ignore', 'pipe', 'pipe'] })
  return serverOf(`redis://${address}:${port}`, folder, start, { ready: /Ready to accept connections/, crash: 'SIGKILL' })
}

/** A PostgreSQL with a database of its own. */
export async function postgres(programs: string, { address = '127.0.0.1' } = {}): Promise<Server> {
  const port = await freePort(address)
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-postgres-'))
  const user = isRoot() ? userId('nobody') : undefined
  const options = { env: withLibraries(programs), ...(user !== undefined && { uid: user, gid: user }) }
  const data = path.join(folder, 'data')
  chmodSync(folder, 0o755)
  mkdirSync(data)
  if (user !== undefined) chownSync(data, user, user)
  execFileSync(path.join(programs, 'initdb'), ['-D', data, '-U', 'gradus', '-A', 'trust', '-E', 'UTF8', '--no-instructions', '--no-sync'], {
    ...options,
    cwd: data,
    stdio: 'ignore',
  })
  const settings = [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    `listen_addresses=${address}`,
    '-c',
    'unix_socket_directories=',
    '-c',
    'max_connections=200',
  ]
  if (address !== '127.0.0.1') appendFileSync(path.join(data, 'pg_hba.conf'), `host all all ${address}/24 trust\n`)
  const start = () => spawn(path.join(programs, 'postgres'), settings, { ...options, cwd: data, stdio: ['ignore', 'pipe', 'pipe'] })
  // PostgreSQL's signal for an immediate end without cleaning up; after SIGKILL its child processes would remain, and a new server would wait for
  // them
  return serverOf(`postgres://gradus@${address}:${port}/postgres`, folder, start, {
    ready: /ready to accept connections/,
    crash: 'SIGQUIT',
  })
}

function serverOf(
  url: string,
  folder: string,
  spawnServer: () => ChildProcess,
  { ready, crash }: { ready: RegExp; crash: NodeJS.Signals },
): Server {
  let child: ChildProcess | undefined
  async function end(signal: NodeJS.Signals): Promise<void> {
    const ended = child
    if (!ended || ended.exitCode !== null || ended.signalCode !== null) return
    const gone = new Promise((resolve) => ended.once('close', resolve))
    ended.kill(signal)
    await gone
  }
  return {
    url,
    folder,
    async start() {
      const started = spawnServer()
      child = started
      let said = ''
      await new Promise<void>((resolve, reject) => {
        const hear = (text: Buffer) => {
          said += text
          if (ready.test(said)) resolve()
        }
        started.stdout?.on('data', hear)
        started.stderr?.on('data', hear)
        started.on('exit', () => reject(new Error(`the server ended: ${said}`)))
      })
    },
    // after SIGTERM PostgreSQL would wait for clients that were cut off
    stop: () => end('SIGINT'),
    crash: () => end(crash),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Programs of unpacked packages find their libraries in the unpacked folders. */
function withLibraries(programs: string): NodeJS.ProcessEnv {
  const at = programs.indexOf('/usr/')
  const libraries = path.join(
    programs.slice(0, Math.max(0, at)),
    '/usr/lib',
    `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
  )
  return { ...process.env, LD_LIBRARY_PATH: libraries }
}

const isRoot = () => process.getuid?.() === 0

function userId(name: string): number | undefined {
  try {
    return Number(execFileSync('id', ['-u', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined
  }
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, address, () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
