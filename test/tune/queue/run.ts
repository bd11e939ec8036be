/** A study on a real queue while workers are killed and Redis is restarted: nothing is lost, nothing is done twice. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createStudy, float, random } from '../../../ts/tune/index.js'

/** How hard the study is disturbed. */
export interface Disturbance {
  trials: number
  workers: number
  kills: number
  restarts: number
}

/** What came of it. */
export interface Outcome {
  finished: number
  complete: number
  /** Numbers of trials that have two results, or none. */
  wrong: number[]
  best: number
  /** The best of the same study without queue or disturbance. */
  wanted: number
  kills: number
  restarts: number
  seconds: number
}

/** The path of a redis-server; undefined where there is none and none can be had. */
export function redisServer(): string | undefined {
  try {
    return execFileSync('test/tune/queue/redis.sh', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

class Redis {
  private child: ChildProcess | undefined
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'gradus-redis-'))

  constructor(
    private readonly server: string,
    private readonly port: number,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const libraries = path.resolve(path.dirname(this.server), '../lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`)
    const options = ['--port', String(this.port), '--dir', this.folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
    this.child = spawn(this.server, options, { env: { ...process.env, LD_LIBRARY_PATH: libraries }, stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise<void>((resolve, reject) => {
      this.child?.stdout?.on('data', (text) => {
        if (String(text).includes('Ready to accept connections')) resolve()
      })
      this.child?.on('exit', () => reject(new Error('redis-server ended')))
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.removeAllListeners('exit')
    child.once('exit', () => {})
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await Promise.race([gone, ended])
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const SPACE = { x: float(-1, 1), y: float(-1, 1) }

/** Runs the study. */
export async function disturbed(server: string, { trials, workers, kills, restarts }: Disturbance): Promise<Outcome> {
  const started = performance.now()
  const redis = new Redis(server, await freePort())
  await redis.start()
  const children = new Set<ChildProcess>()
  let isOver = false
  const begin = () => {
    if (isOver) return
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/tune/queue/worker.ts', redis.url], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    children.add(child)
    child.on('exit', () => {
      children.delete(child)
      begin()
    })
  }
  try {
    for (let i = 0; i < workers; i++) begin()
    const study = await createStudy({ space: SPACE, sampler: random(), seed: 7, storage: redis.url })
    let [killed, restarted] = [0, 0]
    const optimizing = study.optimize('test/tune/queue/objective.mjs', { trials, queue: redis.url, parallel: 3 * workers })
    const disturbing = (async () => {
      for (let i = 1; i <= kills + restarts; i++) {
        // spread over the study, at moments that nobody chose
        const until = (i * trials * 0.8) / (kills + restarts + 1)
        while (study.finished < until && !isOver) await pause(5 + 20 * Math.random())
        if (isOver) return
        if (restarts > 0 && i === Math.ceil((kills + restarts) / 2)) {
          await redis.stop('SIGKILL')
          await pause(300)
          await redis.start()
          restarted++
          continue
        }
        const list = [...children]
        if (list[Math.floor(Math.random() * list.length)]?.kill('SIGKILL')) killed++
      }
    })()
    await optimizing
    isOver = true
    await disturbing
    await study.sync()
    const records = study.trials
    const wrong = records.filter(({ state, values }) => state !== 'complete' || values.length !== 1).map(({ number }) => number)
    const twice = await resultsInJournal(redis.url)
    const outcome: Outcome = {
      finished: study.finished,
      complete: records.filter(({ state }) => state === 'complete').length,
      wrong: [...wrong, ...twice],
      best: study.bestValue,
      wanted: await undisturbed(trials),
      kills: killed,
      restarts: restarted,
      seconds: (performance.now() - started) / 1000,
    }
    await study.close()
    return outcome
  } finally {
    isOver = true
    for (const child of children) {
      child.removeAllListeners('exit')
      child.kill('SIGKILL')
    }
    await redis.stop()
    redis.remove()
  }
}

/** Ids of trials of which the journal has more than one result that counts: a second one is only counted where the first did not end the trial. */
async function resultsInJournal(url: string): Promise<number[]> {
  const { Redis: Client } = (await import('ioredis')) as unknown as {
    Redis: new (url: string) => { get(key: string): Promise<string>; quit(): Promise<void> }
  }
  const client = new Client(url)
  const last = Number(await client.get('gradus:log_number'))
  const results = new Map<number, number[]>()
  for (let i = 0; i <= last; i++) {
    const entry = JSON.parse(await client.get(`gradus:log:${i}`))
    if (entry.op_code === 6 && entry.state === 1) results.set(entry.trial_id, [...(results.get(entry.trial_id) ?? []), entry.values[0]])
  }
  await client.quit()
  // two workers may have been at it, but what they wrote is the same
  return [...results].filter(([, values]) => new Set(values).size > 1).map(([id]) => id)
}

async function undisturbed(trials: number): Promise<number> {
  const study = await createStudy({ space: SPACE, sampler: random(), seed: 7 })
  await study.optimize(({ x, y }) => (x - 0.3) ** 2 + (y + 0.2) ** 2, { trials })
  return study.bestValue
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
