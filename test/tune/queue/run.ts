/** A study on a real queue while workers are killed and the server is restarted: nothing is lost, nothing is done twice. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createStudy, type Entry, float, random } from '../../../ts/tune/index.js'
import { openStore } from '../../../ts/tune/storage/open.js'
import { bundled } from '../../tools/bundled.js'
import type { Server } from './servers.js'

/** How hard the study is disturbed. */
export interface Disturbance {
  trials: number
  workers: number
  kills: number
  restarts: number
}

/** The outcome. */
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

const SPACE = { x: float(-1, 1), y: float(-1, 1) }

/** Runs the study on a server, which it starts and in the end removes. */
export async function disturbed(server: Server, { trials, workers, kills, restarts }: Disturbance): Promise<Outcome> {
  const started = performance.now()
  await server.start()
  const program = bundled('queue-worker', 'test/tune/queue/worker.ts')
  const children = new Set<ChildProcess>()
  let isOver = false
  const begin = () => {
    if (isOver) return
    const child = spawn(process.execPath, [program, server.url, 'test/tune/queue'], {
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
    const study = await createStudy({ space: SPACE, sampler: random(), seed: 7, storage: server.url })
    let [killed, restarted] = [0, 0]
    const optimizing = study.optimize('test/tune/queue/objective.mjs', { trials, queue: server.url, parallel: 3 * workers })
    const disturbing = (async () => {
      for (let i = 1; i <= kills + restarts; i++) {
        // spread over the study, at random moments
        const until = (i * trials * 0.8) / (kills + restarts + 1)
        while (study.finished < until && !isOver) await pause(5 + 20 * Math.random())
        if (isOver) return
        if (restarts > 0 && i === Math.ceil((kills + restarts) / 2)) {
          await server.crash()
          await pause(300)
          await server.start()
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
    const twice = await resultsInJournal(server.url)
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
    await server.stop()
    server.remove()
  }
}

/** Ids of trials with more than one result that counts in the journal: a second one only counts if the first did not end the trial. */
async function resultsInJournal(url: string): Promise<number[]> {
  const store = await openStore(url)
  const results = new Map<number, number[]>()
  const see = (entries: readonly Entry[]) => {
    for (const { op_code, state, trial_id, values } of entries)
      if (op_code === 6 && state === 1)
        results.set(trial_id as number, [...(results.get(trial_id as number) ?? []), (values as number[])[0]])
  }
  await store.transact(0, see, () => [])
  await store.close?.()
  // two workers may have run the trial, but both wrote the same value
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
