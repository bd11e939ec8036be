/** Rounds of a search until the time is over. */
import { clock } from '../common/clock.js'
import { RECIPES_A_ROUND, type Rounds, type View } from './rounds.js'

/** Recipes and options of {@link fillTime}. */
export interface Trials<Recipe> {
  /** The recipe that does well on most data of this size, and others that are compared with it, if there is time for all of them. */
  first: readonly [usual: Recipe, ...others: Recipe[]]
  /** True to give the first recipes the same first weights and order of rows. */
  isPaired: boolean
  /** Rows of a step, and epochs of a training in full. */
  batchSize: number
  epochs: number
  /** Another recipe: the same seed gives the same one. @param number of recipes that were drawn before */
  draw(seed: number, number: number): Recipe
  /** A quick recipe, used if there is no time for one epoch of the usual recipe. */
  small: Recipe
}

/** Largest number of rows of the pilot, a short training that measures speed. */
const PILOT_ROWS = 2000
/** Epochs of the pilot and, at least, of the training that measures an epoch, unless a full training has fewer. */
const PILOT_EPOCHS = 2
const FEWEST_EPOCHS = 3
/** Shares of the remaining time: for the training that measures an epoch, and for any other training, so that it ends in time. */
const MEASURING = 0.4
const FITTING = 0.9
/** A training that measures an epoch has at most this share of the epochs of a full training. */
const SHORT = 1 / 6
/** A training in full is begun if this share of its epochs fits: an epoch was measured while code was being compiled, and most nets stop early. */
const ENOUGH = 0.8
/** A round has two recipes if this many trainings of one fit into the remaining time. */
const ROUNDS_LEFT = 4
/** Distance between the seeds of the recipes of two rounds. */
const SEED_STEP = 7919

/**
 * Trains until the remaining time is needed for the work after the search:
 * 1. a pilot on at most 2,000 rows, for two epochs: it gives an early net and the time of an epoch;
 * 2. a short training on as many rows as fit in two fifths of the time, which measures an epoch well;
 * 3. the first recipes in full, as without a limit;
 * 4. other recipes, two per round, each as long as the time allows.
 *
 * @returns true if the usual recipe was begun in full, with all rows and epochs, as there was time for most of it
 */
export async function fillTime<Recipe, V extends View>(rounds: Rounds<Recipe, V>, trials: Trials<Recipe>): Promise<boolean> {
  const { first, isPaired, batchSize, epochs } = trials
  const [usual] = first
  const { seed, signal } = rounds.options
  const timeLeft = () => (rounds.deadline as number) - clock.now()

  const pilotShare = Math.min(1, PILOT_ROWS / rounds.trainingRows)
  const pilotEpochs = Math.min(PILOT_EPOCHS, epochs)
  let started = clock.now()
  await rounds.train({ recipes: [usual], batchSize, epochs: pilotEpochs, number: 0, share: pilotShare })
  const affordable = (MEASURING * timeLeft() * pilotEpochs * pilotShare) / (clock.now() - started)

  const few = Math.min(epochs, Math.max(FEWEST_EPOCHS, Math.round(Math.min(epochs * SHORT, affordable))))
  const share = Math.min(1, Math.max(pilotShare, affordable / few))
  started = clock.now()
  await rounds.train({ recipes: [usual], batchSize, epochs: few, number: 0, share })
  let epochTime = (clock.now() - started) / few / share

  let drawn = 0
  let isFull = false
  for (let number = 0; timeLeft() > 0 && !signal?.aborted; number++) {
    const fitting = Math.floor((FITTING * timeLeft()) / epochTime)
    const isWhole = fitting >= ENOUGH * epochs
    // the remaining time may be too short for a useful training: it is given to one that is stopped early
    const own = isWhole ? epochs : Math.max(few, fitting)
    const draws = fitting >= ROUNDS_LEFT * own ? RECIPES_A_ROUND : 1
    const others = () => Array.from({ length: draws }, (_, i) => trials.draw(seed + SEED_STEP * number + i, drawn++))
    const recipes = number > 0 ? others() : fitting >= ENOUGH * epochs * first.length ? first : [usual]
    const part = isWhole ? 1 : Math.min(1, Math.max(share, fitting / few))
    if (number === 0) isFull = isWhole
    started = clock.now()
    await rounds.train({ recipes, batchSize, epochs: own, number, isPaired: isPaired && number === 0, share: part })
    // nets that stop early make it less
    epochTime = Math.min(epochTime, (clock.now() - started) / (recipes.length * own * part))
  }
  // there was no time even for one epoch of all folds: a small net is better than none
  if (rounds.candidates.length === 0 && rounds.failure === undefined && !signal?.aborted)
    await rounds.train({ recipes: [trials.small], batchSize, epochs: pilotEpochs, number: 0, share: pilotShare, isTimed: false })
  return isFull
}
