/** Kills a process with a study again and again: every confirmed result is there once, and the study ends with the same trials. */
import { spawn } from 'node:child_process'
import { createStudy, float, int, openStudy } from '../../../ts/tune/index.js'

/** The outcome. */
export interface KillOutcome {
  kills: number
  /** Number of results that a process reported as stored and that are missing. */
  lost: number
  /** Number of results that are stored twice, or with another value. */
  doubled: number
  finished: number
  /** True if all trials equal those of a study that was never killed. */
  isSame: boolean
}

/** The Node and the library of the process that is killed. */
export interface Program {
  node: string
  library: string
}

/** Kills the process `kills` times, then lets it run to its end. */
export async function killAgain(storage: string, trials: number, kills: number, program: Program): Promise<KillOutcome> {
  const kept = new Map<number, number>()
  let doubled = 0
  let killed = 0
  for (let isOver = false; !isOver; ) {
    isOver = await run(storage, trials, program, killed < kills, (number, value) => {
      if (kept.has(number)) doubled++
      kept.set(number, value)
    })
    if (!isOver) killed++
  }
  const study = await openStudy({ storage })
  const records = study.trials
  const lost = [...kept].filter(([number, value]) => records[number]?.value !== value).length
  const whole = await createStudy({ space: { x: float(-1, 1), n: int(1, 9) }, seed: 3 })
  await whole.optimize(({ x, n }) => x * x + n / 10, { trials })
  const same = (list: typeof records) => JSON.stringify(list.map(({ params, value }) => [params, value]))
  const outcome = { kills: killed, lost, doubled, finished: study.finished, isSame: same(records) === same(whole.trials as never) }
  await study.close()
  return outcome
}

/** Runs a process, which may be killed after a few results; returns true if it ended by itself. */
function run(
  storage: string,
  trials: number,
  { node, library }: Program,
  isKilled: boolean,
  keep: (number: number, value: number) => void,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, ['test/tune/storage/study.mjs', library, storage, String(trials)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [text, said, errors] = ['', 0, '']
    child.stderr.on('data', (more) => (errors += more))
    child.stdout.on('data', (more) => {
      text += more
      const lines = text.split('\n')
      text = lines.pop() as string
      for (const line of lines) {
        const [, number, value] = /^kept (\d+) (.*)$/.exec(line) ?? []
        if (number === undefined) continue
        keep(Number(number), Number(value))
        // at a random moment within the next trials
        if (isKilled && said++ === 0) setTimeout(() => child.kill('SIGKILL'), 12 * Math.random())
      }
    })
    child.on('close', (code, signal) => {
      if (code === 0) resolve(true)
      else if (signal === 'SIGKILL') resolve(false)
      else reject(new Error(`the study ended with ${code}: ${errors}`))
    })
  })
}
