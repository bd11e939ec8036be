/** Claims of models: no layer or parameter is in two trainings at the same time. Entries that are built apart have copies of this file, and one list. */
import { plainError } from './errors.js'

/** A layer, which describes itself, or a parameter. */
interface Part {
  readonly name?: string
  readonly path?: string
  describe?(): string
}

/** A model, with its layers and parameters. */
interface Whole extends Part {
  modules(): Iterable<Part>
  parameters(): Iterable<Part>
}

/** The training that has claimed each layer or parameter, until it ends or is collected. */
interface Claim {
  readonly who: string
  /** Ends the claim. The training holds it, so that a claim ends when its iterator is collected. */
  readonly release: WeakRef<() => void>
}

/** What all copies of this file share. */
interface Registry {
  readonly claims: WeakMap<Part, Set<Claim>>
  /** The claim that {@link lend} shares. */
  lent: (() => void) | undefined
}

const PLACE = Symbol.for('gradus.claims')

function registry(): Registry {
  const shared = globalThis as { [PLACE]?: Registry }
  return (shared[PLACE] ??= { claims: new WeakMap(), lent: undefined })
}

/** Loops over `trainSteps` may take turns on a model, because each is between two steps when another one runs; and so may `trainOnBatch`. */
const TAKES_TURNS = ['trainSteps', 'trainOnBatch']

/**
 * @internal Claims a model with all its parts.
 * @returns a function that releases the model; garbage collection releases it, too
 * @throws Error if the model or a part of it is already being trained
 */
export function claimParts(who: string, model: Whole): () => void {
  const parts = checkFree(who, model)
  const { claims } = registry()
  const release = () => {
    for (const part of parts) claims.get(part)?.delete(own)
  }
  const own: Claim = { who, release: new WeakRef(release) }
  for (const part of parts) claims.set(part, (claims.get(part) ?? new Set()).add(own))
  return release
}

/**
 * @internal Calls a training that is a part of another one, as `fit` of a window is of `fitStream`. It shares the claim of which this is the release,
 * and makes its own one before it returns.
 */
export function lend<T>(release: () => void, train: () => T): T {
  const shared = registry()
  shared.lent = release
  try {
    return train()
  } finally {
    shared.lent = undefined
  }
}

/** @internal @returns the model with all its parts @throws Error if one of them is being trained */
export function checkFree(who: string, model: Whole): Part[] {
  const parts = [...model.modules(), ...model.parameters()]
  const { claims, lent } = registry()
  for (const part of parts) {
    const known = claims.get(part) ?? new Set()
    for (const claim of known) {
      const release = claim.release.deref()
      if (release === undefined) known.delete(claim)
      else if (release !== lent && !(TAKES_TURNS.includes(who) && TAKES_TURNS.includes(claim.who)))
        throw plainError(`${who}: ${busy(model, part, claim.who)}`)
    }
  }
  return parts
}

function busy(model: Whole, part: Part, by: string): string {
  const what = part === model ? 'this model' : part.describe ? `${part.describe()} '${part.path}'` : `parameter '${part.name}'`
  const end = TAKES_TURNS.includes(by) ? 'end that loop, or call return() of its iterator' : `wait for the first ${by} to end`
  return `${what} is being trained already${part === model ? '' : ' as a part of another model'}; ${end}`
}
