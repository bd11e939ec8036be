/** Compiled steps: the recorded step of one net, the programs for eight nets that are made from it, and their memory. */
import type { Ptr } from '../../backend/kernels.js'
import type { Batches } from '../batches.js'
import { Recording } from '../fast/recording.js'
import { CannotBatch, NETS, onlyDenseTakes } from './batching-rules.js'
import { FleetProgram } from './fleet-program.js'
import { HyperTables } from './hyper-tables.js'
import type { Member } from './member.js'
import { StagedRows } from './staged-rows.js'

/**
 * The largest number of steps of a round, and of bytes that differ from step to step; these bytes are read once, in order. Before and after a round
 * there is work in JavaScript for each net: a few long rounds need less of it than many short ones.
 */
const MAX_STEPS = 4096
const MAX_BYTES = 1 << 21

/** Runs the steps of members with one number of rows and one {@link Member.updateKey}. */
export interface CompiledStep {
  recording: Recording
  tables: HyperTables
  /** Largest number of steps of a round. */
  capacity: number
  /** One for each thread. */
  workspaces: readonly Workspace[]
  /** The generator of each dropout of the step, by its number in a net, with the number of earlier draws. */
  draws: readonly { generator: number; offset: number; rate: number }[]
  /** Each of these generators once, with its number of draws per step. */
  counters: readonly { generator: number; perStep: number }[]
  release(): void
}

/** A program for eight nets, and the rows that they see. */
export interface Workspace {
  program: FleetProgram
  rows: StagedRows
}

/** Properties of a fleet that compiling a step needs. */
export interface FleetTraits {
  readonly batches: Batches
  /** True if all nets see the same rows in the same order. */
  readonly sharesRows: boolean
  readonly keepsPredictions: boolean
}

/**
 * Records a step of a member with this number of rows, and makes programs from it.
 * @throws CannotBatch if the nets cannot run side by side, OutOfMemoryError
 */
export function compileStep(member: Member, size: number, { batches, sharesRows, keepsPredictions }: FleetTraits): CompiledStep {
  const { plan, parameters, generators, optimizer, updates } = member
  const { model, options, rows } = plan
  const { heap, threads } = parameters[0].backend
  const recording = new Recording({ model, loss: options.loss, rows, givenBackBy: 'owner' }, size)
  const blocks: Ptr[] = []
  const workspaces: Workspace[] = []
  const release = () => {
    for (const { program } of workspaces.splice(0)) program.release()
    for (const block of blocks.splice(0)) heap.free(block)
    recording.release()
  }
  try {
    recordUnnoticed(recording, member, size)
    if (recording.obstacle !== null) throw new CannotBatch(recording.obstacle)
    if (recording.trained.length !== parameters.filter((p) => p.requiresGrad).length)
      throw new CannotBatch('a parameter without a gradient')
    const allocate = (bytes: number) => {
      const block = heap.allocate(bytes, 'zeros')
      blocks.push(block)
      return block
    }
    const sharesInputs = sharesRows && onlyDenseTakes(recording.calls, recording.batch[0].to.address)
    // predictions and targets are kept for all nets, and copied for one
    const outputs = keepsPredictions ? (NETS + 1) * (recording.prediction.size + recording.targets.size) : 0
    const bytes = recording.batch.reduce(
      (sum, { to }, i) => sum + StagedRows.bytesOf(to, i === 0 && sharesInputs),
      4 * NETS + HyperTables.bytesOf(updates) + 4 * outputs,
    )
    const capacity = Math.max(1, Math.min(MAX_STEPS, batches.total, Math.floor(MAX_BYTES / bytes)))
    const tables = new HyperTables(heap, updates, capacity, NETS * threads, allocate)
    for (let thread = 0; thread < threads; thread++) {
      const known = sharesRows ? workspaces[0]?.rows : undefined
      const staged = known ?? new StagedRows(recording, sharesRows, sharesInputs, capacity, allocate)
      const program = new FleetProgram({ recording, parameters, optimizer, updates, rows: staged, tables, capacity, keepsPredictions })
      workspaces.push({ program, rows: staged })
    }
    const draws = workspaces[0].program.draws.map(({ counter: { generator, offset, perStep }, args }) => ({
      ...{ generator: generators.indexOf(generator), offset, perStep },
      rate: args[args.length - 1],
    }))
    const counters = draws.filter(({ generator }, i) => draws.findIndex((draw) => draw.generator === generator) === i)
    return { recording, tables, capacity, workspaces, draws, counters, release }
  } catch (error) {
    release()
    throw error
  }
}

/** Records a step of a net on its first rows, after which the net is as it was. */
function recordUnnoticed(recording: Recording, { generators, parameters, plan }: Member, size: number): void {
  const counters = generators.map(({ counter }) => counter)
  const states = parameters.map((p) => p.gradientState)
  // running statistics follow each step
  const buffers = plan.model.buffers().map((buffer) => ({ buffer, before: buffer.data().slice() }))
  // the recorded step would otherwise add to gradients of earlier batches
  for (const p of parameters) p.gradientState = 'none'
  try {
    recording.record({ order: null, from: 0, to: size })
  } finally {
    generators.forEach((generator, i) => {
      generator.counter = counters[i]
    })
    parameters.forEach((p, i) => {
      p.gradientState = states[i]
    })
    for (const { buffer, before } of buffers) buffer.view().set(before)
  }
}
