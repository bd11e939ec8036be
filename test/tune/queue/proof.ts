/**
 * `make queue-proof`: 2,000 trials on Redis and on PostgreSQL (TRIALS=200 for a small run, ONLY=redis for one). Workers are on two machines, the study on a third, each a network
 * namespace with host names of its own (on loopback with names alone where namespaces cannot be made). Workers, study and server are killed, the server loses its last entries, a machine is
 * cut off for a minute, the objective hangs, throws, and is edited in the midst. Every trial ends once, with a state that is true, and the study is never silent for more than ten seconds.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import type { Entry } from '../../../ts/tune/index.js'
import { openStudy } from '../../../ts/tune/index.js'
import { openStore } from '../../../ts/tune/storage/open.js'
import { connectPostgres, query } from '../../../ts/tune/storage/postgres.js'
import { canMakeNetworks, cut, HUB_ADDRESS, inHub, makeNetwork, removeNetwork, startOn } from './network.js'
import { postgres, postgresFolder, redis, redisServer, type Server } from './servers.js'

const TRIALS = Number(process.env.TRIALS ?? 2000)
const ONLY = process.env.ONLY
/** Seconds for which a machine is cut off. */
const CUT = Number(process.env.CUT ?? 60)
const WORKERS = 8
const KILLS = Math.ceil(TRIALS / 50)
/** Seconds for which the study may be silent. */
const SILENCE = 10
const BUILT = path.resolve('.cache/queue-proof')
const isInside = process.env.GRADUS_IN_HUB === '1'

interface Event {
  /** Milliseconds since the study began. */
  at: number
  /** Seconds since then in which the study's process had the processor: it ran at every tenth of a second, or was busy itself. */
  ran: number
  message?: string
  number?: number
  state?: string
}

class Proof {
  private readonly workers = new Set<ChildProcess>()
  private study: ChildProcess | undefined
  private isOver = false
  private hosts = 0
  private lastLine = performance.now()
  private readonly began = performance.now()
  finished = 0
  longest = 0
  /** The longest silence in seconds of processor time of the study; the proof judges by this. */
  longestRan = 0
  readonly did: Record<string, number> = {}
  readonly messages = new Map<string, number>()

  constructor(
    private readonly server: Server,
    private readonly folder: string,
    private readonly hasNetwork: boolean,
  ) {}

  private start(machine: number, host: string, args: readonly string[]): ChildProcess {
    if (this.hasNetwork) return startOn(machine, host, args, 'ignore')
    return spawn('unshare', ['-u', 'sh', '-c', 'hostname "$0"; exec "$@"', host, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }

  startWorker(machine: number): void {
    if (this.isOver) return
    const child = this.start(machine, `pod-${machine}-${this.hosts++}`, [path.join(BUILT, 'worker.mjs'), this.server.url, this.folder, '5'])
    child.stdout?.resume()
    this.workers.add(child)
    // as a supervisor does
    child.on('exit', () => {
      this.workers.delete(child)
      setTimeout(() => this.startWorker(machine), 500)
    })
  }

  startStudy(): void {
    if (this.isOver) return
    const args = [
      path.join(BUILT, 'coordinator.mjs'),
      this.server.url,
      path.join(this.folder, 'objective.mjs'),
      String(TRIALS),
      String(3 * WORKERS),
    ]
    const child = this.start(3, `study-${this.hosts++}`, args)
    this.study = child
    let text = ''
    let before: Event | undefined
    child.stdout?.on('data', (more) => {
      text += more
      const lines = text.split('\n')
      text = lines.pop() as string
      for (const line of lines) {
        const event = JSON.parse(line) as Event
        if (before !== undefined) this.hearAfter(before, event)
        before = event
        this.lastLine = performance.now()
        if (event.number !== undefined) this.finished++
        if (event.message !== undefined) {
          const kind = event.message.replace(/\d+(\.\d+)?/g, 'N').slice(0, 90)
          if (!this.messages.has(kind)) this.note(event.message.slice(0, 220))
          this.messages.set(kind, (this.messages.get(kind) ?? 0) + 1)
        }
      }
    })
    child.on('exit', (code) => {
      if (code === 0) this.isOver = true
      else {
        this.count('starts of the study again')
        setTimeout(() => this.startStudy(), 500)
      }
    })
  }

  private hearAfter(before: Event, event: Event): void {
    const [seconds, ran] = [(event.at - before.at) / 1000, event.ran - before.ran]
    this.longest = Math.max(this.longest, seconds)
    this.longestRan = Math.max(this.longestRan, ran)
    if (seconds <= SILENCE / 2) return
    this.note(`${seconds.toFixed(1)} s (${ran.toFixed(1)}) without a line, between ${JSON.stringify(before)} and ${JSON.stringify(event)}`)
  }

  /** Prints what happened, with the seconds since the beginning. */
  private note(text: string): void {
    console.log(`  ${((performance.now() - this.began) / 1000).toFixed(1)} s: ${text}`)
  }

  count(what: string): void {
    this.note(what)
    this.did[what] = (this.did[what] ?? 0) + 1
  }

  async run(): Promise<void> {
    for (let i = 0; i < WORKERS; i++) this.startWorker(1 + (i % 2))
    this.startStudy()
    const acts: [number, () => Promise<void>][] = [
      ...Array.from({ length: KILLS }, (_, i): [number, () => Promise<void>] => [(i + 0.5) / KILLS, async () => this.killWorker()]),
      [0.15, () => this.crash(false)],
      [0.3, async () => this.killStudy()],
      [0.45, () => this.crash(true)],
      [0.6, async () => this.partition()],
      [0.75, async () => this.edit()],
      [0.85, async () => this.killStudy()],
    ]
    acts.sort(([a], [b]) => a - b)
    for (const [share, act] of acts) {
      while (this.finished < share * TRIALS && !this.isOver) await pause(20)
      if (this.isOver) break
      await act()
    }
    while (!this.isOver) {
      await pause(100)
      if (performance.now() - this.lastLine > 180_000) throw new Error('nothing was said for three minutes')
    }
  }

  private killWorker(): void {
    const list = [...this.workers]
    if (list[Math.floor(Math.random() * list.length)]?.kill('SIGKILL')) this.count('kills of workers')
  }

  private killStudy(): void {
    if (this.study?.kill('SIGKILL')) this.count('kills of the study')
  }

  private edit(): void {
    appendFileSync(path.join(this.folder, 'objective.mjs'), '// edited\n')
    this.count('edits')
  }

  private partition(): void {
    if (!this.hasNetwork) return
    cut(1, true)
    this.count(`cuts of ${CUT} s`)
    // meanwhile the study and the other disturbances continue
    setTimeout(() => {
      cut(1, false)
      this.note('the cut is over')
    }, 1000 * CUT)
  }

  /** Ends the server like a loss of power; with `isLosing` its last entries are not on the disk. */
  private async crash(isLosing: boolean): Promise<void> {
    await this.server.crash()
    if (isLosing && this.server.url.startsWith('redis')) {
      const files = path.join(this.server.folder, 'appendonlydir')
      const file = path.join(files, readdirSync(files).find((name) => name.endsWith('.incr.aof')) as string)
      truncateSync(file, Math.max(0, statSync(file).size - 20_000))
    }
    await pause(2000)
    await this.server.start()
    if (isLosing && this.server.url.startsWith('postgres')) {
      const pool = await connectPostgres(this.server.url, 'SELECT 1')
      // both statements are sent at once and are one transaction on the server, so that the end is lost at one moment
      await query(
        pool,
        'LOCK TABLE gradus_journal IN EXCLUSIVE MODE; DELETE FROM gradus_journal WHERE number > (SELECT max(number) - 20 FROM gradus_journal)',
      )
      await pool.end()
    }
    this.count(isLosing ? 'crashes with a loss' : 'crashes')
  }

  end(): void {
    this.isOver = true
    for (const child of [...this.workers, ...(this.study ? [this.study] : [])]) {
      child.removeAllListeners('exit')
      child.kill('SIGKILL')
    }
  }
}

/** Numbers of trials that did not end as they should have. */
async function wrongTrials(url: string): Promise<{ wrong: string[]; over: number; twice: number }> {
  const study = await openStudy({ storage: url })
  const wrong: string[] = []
  for (const { number, state, value, params, error } of study.trials) {
    const { x, y } = params as { x: number; y: number }
    const isRight =
      number % 97 === 5 || number % 97 === 55
        ? state === 'failed' && /trialTime/.test(error ?? '')
        : number % 89 === 7
          ? state === 'failed' && error === 'boom'
          : state === 'complete' && value === (x - 0.3) ** 2 + (y + 0.2) ** 2
    if (!isRight) wrong.push(`${number} is ${state}${error === undefined ? '' : `: ${error}`}`)
  }
  const over = study.finished
  await study.close()
  const store = await openStore(url)
  const ends = new Map<number, number>()
  await store.transact(
    0,
    (entries: readonly Entry[]) => {
      for (const { op_code, state, trial_id } of entries)
        if (op_code === 6 && (state as number) >= 1 && (state as number) <= 3)
          ends.set(trial_id as number, (ends.get(trial_id as number) ?? 0) + 1)
    },
    () => [],
  )
  await store.close?.()
  return { wrong, over, twice: [...ends.values()].filter((count) => count > 1).length }
}

/** @returns the longest silence, in seconds of processor time of the study; undefined if a trial is wrong */
async function prove(name: string, server: Server, hasNetwork: boolean): Promise<number | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-proof-'))
  copyFileSync('test/tune/queue/proof-objective.mjs', path.join(folder, 'objective.mjs'))
  await server.start()
  const proof = new Proof(server, folder, hasNetwork)
  const began = performance.now()
  try {
    await proof.run()
    const { wrong, over, twice } = await wrongTrials(server.url)
    const did = Object.entries(proof.did).map(([what, count]) => `${count} ${what}`)
    console.log(`${name}: ${over} of ${TRIALS} over, ${wrong.length} wrong, ${twice} written twice (the first counts); ${did.join(', ')}`)
    console.log(
      `${name}: ${Math.round((performance.now() - began) / 1000)} s, at most ${proof.longest.toFixed(1)} s without a line of the study, in which it had the processor for ${proof.longestRan.toFixed(1)} s at most`,
    )
    if (wrong.length > 0) console.log(wrong.slice(0, 10).join('\n'))
    return wrong.length === 0 && over === TRIALS ? proof.longestRan : undefined
  } finally {
    proof.end()
    await server.stop()
    server.remove()
    rmSync(folder, { recursive: true })
  }
}

async function main(): Promise<boolean> {
  const hasNetwork = isInside
  const address = hasNetwork ? HUB_ADDRESS : '127.0.0.1'
  mkdirSync(BUILT, { recursive: true })
  await build({
    entryPoints: { worker: 'test/tune/queue/worker.ts', coordinator: 'test/tune/queue/coordinator.ts' },
    ...{
      outdir: BUILT,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'error',
    },
  })
  const [server, programs] = [redisServer(), postgresFolder()]
  if (server === undefined) throw new Error('wants redis-server: apt-get install redis-server')
  if (programs === undefined) throw new Error('wants PostgreSQL: apt-get install postgresql')
  const silences: (number | undefined)[] = []
  if (ONLY !== 'postgres') silences.push(await prove('Redis', await redis(server, { address, fsync: 'everysec' }), hasNetwork))
  if (ONLY !== 'redis') silences.push(await prove('PostgreSQL', await postgres(programs, { address }), hasNetwork))
  console.log(`network: ${hasNetwork ? 'four namespaces' : 'loopback, as namespaces cannot be made here: no cut'}`)
  const isRight = silences.every((silence) => silence !== undefined && silence <= SILENCE)
  const list = silences.map((silence) => silence?.toFixed(1)).join(' and ')
  console.log(isRight ? `each: ${TRIALS} of ${TRIALS} trials over once, as they should; at most ${list} s of silence` : 'WRONG')
  return isRight
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

if (!isInside && canMakeNetworks()) {
  makeNetwork(3)
  const [command, args] = inHub(process.execPath, ['--import', 'tsx', 'test/tune/queue/proof.ts'])
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, GRADUS_IN_HUB: '1' } })
  removeNetwork(3)
  process.exit(status ?? 1)
}
process.exit((await main()) ? 0 : 1)
