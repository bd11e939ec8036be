/**
 * Kills a training at random moments (SIGKILL) and checks that nothing is lost: `make kills`, with `KILLS=1000` by default. The training saves after
 * every batch, within epochs too. After each kill the file has to load, and must not be of an earlier batch than the process had reported as saved;
 * the restarted program continues from there. In the end the weights have to equal those of an uninterrupted training.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { decodeModel, decodeModelFile, type Module } from '../../ts/index.js'

export interface KillReport {
  kills: number
  /** Kills after which no file loaded, or one of an earlier batch than reported. */
  lost: number
  /** Number of unfinished files when the process was killed. */
  interrupted: number
  /** Largest number of temporary files after a kill: the next save removes files of earlier kills. */
  mostLeft: number
  /** Number of unfinished files that remain in the end. */
  leftAtEnd: number
  /** Number of kills after which the file was from the middle of an epoch. */
  withinEpochs: number
  steps: number
  /** True if the final weights equal those of a training without kills. */
  isSame: boolean
}

/** Batches of an epoch of the child. */
const BATCHES = 3
const CHILD = path.resolve('test/files/kill-child.ts')

/** Runs the program; kills it `killAfter` milliseconds after its first line. @returns the last step that it reported */
function run(program: string, args: string[], killAfter?: number): Promise<{ last: number; isOver: boolean }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (part) => {
      if (text === '' && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
      text += part
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      // a process that ends with an error was not killed, and must not be counted as killed
      if (signal !== 'SIGKILL' && code !== 0) return reject(new Error(`the training ended with code ${code}`))
      // an incomplete line does not count
      const lines = text.split('\n').slice(0, -1)
      const told = lines.filter((line) => line !== 'over').map(Number)
      resolve({ last: told[told.length - 1] ?? 0, isOver: lines.includes('over') })
    })
  })
}

const digest = (model: Module) => {
  const hash = createHash('sha256')
  for (const values of Object.values(model.state())) hash.update(values)
  return hash.digest('hex')
}

/**
 * Kills the training `kills` times, and then up to ten times as often until a file was from the middle of an epoch.
 * @param random a number in [0, 1)
 * @param child a program with three batches an epoch; default: the training by fit
 */
export async function killOften(kills: number, random: () => number, tell = (_line: string) => {}, child = CHILD): Promise<KillReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-kills-'))
  try {
    const program = path.join(folder, 'program.mjs')
    await build({
      entryPoints: [child],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      logLevel: 'error',
    })
    const file = path.join(folder, 'run.safetensors')
    const report: KillReport = { kills: 0, lost: 0, interrupted: 0, mostLeft: 0, leftAtEnd: 0, withinEpochs: 0, steps: 0, isSame: false }
    let saved = 0
    const temporaryFiles = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'))
    let before: string[] = []
    while (report.kills < kills || (report.withinEpochs === 0 && report.kills < 10 * kills)) {
      const { last, isOver } = await run(program, [file, '1000000'], random() * 40)
      if (isOver) throw new Error('the training ended before it was killed')
      report.kills++
      const left = temporaryFiles()
      report.interrupted += left.filter((name) => !before.includes(name)).length
      report.mostLeft = Math.max(report.mostLeft, left.length)
      before = left
      try {
        const { training } = decodeModelFile(readFileSync(file))
        const batches = training.part?.batches ?? 0
        const step = BATCHES * training.epochs.length + batches
        if (step < Math.max(last, saved)) throw new Error(`step ${Math.max(last, saved)} was saved, the file is of ${step}`)
        saved = step
        if (batches > 0) report.withinEpochs++
      } catch (error) {
        report.lost++
        tell(`kill ${report.kills}: ${(error as Error).message}`)
      }
      if (report.kills % 100 === 0) tell(JSON.stringify(report))
    }
    report.steps = saved
    const epochs = Math.floor(saved / BATCHES) + 1
    const whole = path.join(folder, 'whole.safetensors')
    for (const name of [file, whole]) if (!(await run(program, [name, String(epochs)])).isOver) throw new Error('the training did not end')
    const [killed, never] = [file, whole].map((name) => digest(decodeModel(readFileSync(name))))
    report.isSame = killed === never
    report.leftAtEnd = temporaryFiles().length
    return report
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await killOften(Number(process.env.KILLS ?? 1000), Math.random, console.log)
  console.log(report)
  if (report.lost > 0 || !report.isSame || report.mostLeft > 1 || report.leftAtEnd > 0) process.exitCode = 1
}
