import type { DescentRacer, DescentState } from './state'

const ADAM = ['beta1', 'beta2', 'epsilon']
/** Options of the optimizers whose updates the page has as formulas of its own. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  SGD: [],
  Momentum: ['beta'],
  RMSProp: ['beta', 'epsilon'],
  Adam: ADAM,
  UncorrectedAdam: ADAM,
}

/** True if the page's formulas say what this racer does: a link may ask for options that they lack. */
export const isOwn = ({ method, options }: Pick<DescentRacer, 'method' | 'options'>) =>
  Object.hasOwn(TAKEN, method) && Object.keys(options).every((name) => TAKEN[method].includes(name))

/** Optimizers whose races from every start can be painted. */
export const PAINTED: readonly string[] = ['SGD', 'Momentum', 'RMSProp', 'Adam']
export const canPaint = (racer: DescentRacer) => PAINTED.includes(racer.method) && isOwn(racer)

/** The racer whose races are painted: the chosen one, or the first that can be; −1 if none can. */
export function painted({ racers, chosen }: Pick<DescentState, 'racers' | 'chosen'>): number {
  const can = racers.flatMap((racer, i) => (canPaint(racer) ? [i] : []))
  return can.includes(chosen) ? chosen : (can[0] ?? -1)
}
