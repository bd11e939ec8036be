/** Several objectives: which trials dominate others, and the hypervolume that is better than a reference point. @internal */
import type { Observation } from './observations.js'

type Losses = readonly number[]

/** True if a is at least as good as b in every objective and better in one. */
export function dominates(a: Losses, b: Losses): boolean {
  let isLess = false
  for (let i = 0; i < a.length; i++) {
    if (a[i] > b[i]) return false
    if (a[i] < b[i]) isLess = true
  }
  return isLess
}

/** Observations that no other of them dominates, in their order. */
export function paretoFront(observations: readonly Observation[]): Observation[] {
  return observations.filter(({ losses }) => !observations.some((other) => dominates(other.losses, losses)))
}

/**
 * The best observations: the first front, and further ones until there are `least` (non-dominated sorting, Deb et al. 2002). If the last front taken
 * makes it more than `least`, or the first front alone has more than `most`, only a subset of it that covers much hypervolume is taken.
 */
export function bestByFronts(observations: readonly Observation[], least: number, most: number): Observation[] {
  // in this order, no point is dominated by a later one
  let rest = [...observations].sort((a, b) => lexicographic(a.losses, b.losses) || a.number - b.number)
  const best: Observation[] = []
  while (best.length < least && rest.length > 0) {
    const front: Observation[] = []
    const dominated: Observation[] = []
    for (const one of rest) (front.some(({ losses }) => dominates(losses, one.losses)) ? dominated : front).push(one)
    const places = best.length === 0 ? Math.max(least, most) : least - best.length
    best.push(...(front.length <= places ? front : largestSubset(front, places)))
    rest = dominated
  }
  return best
}

function lexicographic(a: Losses, b: Losses): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1
  return 0
}

/**
 * A subset of a front that covers much hypervolume: greedily, the point that adds most comes next (Guerreiro, Fonseca & Paquete 2016). The
 * contribution of a point can only shrink as others are taken, so its earlier contribution is an upper bound, and only points above the best so far
 * are computed.
 */
function largestSubset(front: readonly Observation[], size: number): Observation[] {
  const points = withinReference(front.map(({ losses }) => losses))
  const bounds = points.map((point) => volumeOf(point))
  const taken: Losses[] = []
  const subset: Observation[] = []
  while (subset.length < size) {
    let next = bounds.indexOf(Math.max(...bounds))
    bounds[next] = addedVolume(points[next], taken)
    for (let i = 0; i < points.length; i++) {
      if (bounds[i] <= bounds[next]) continue
      bounds[i] = addedVolume(points[i], taken)
      if (bounds[i] > bounds[next]) next = i
    }
    bounds[next] = -1
    taken.push(points[next])
    subset.push(front[next])
  }
  return subset
}

/** For each point the hypervolume that it alone covers, as a share of the largest: 1 for all if the points cannot be distinguished. */
export function contributions(losses: readonly Losses[]): number[] {
  const points = withinReference(losses)
  const without = (i: number) => points.filter((_, j) => j !== i)
  const alone = points.map((point, i) => addedVolume(point, without(i)))
  const largest = Math.max(...alone)
  return alone.map((volume) => (largest > 0 ? volume / largest : 1))
}

/**
 * The points relative to a reference point a tenth beyond the worst of them, as in Optuna: all are at most 0. An infinite loss is moved to the
 * reference point, where it covers nothing.
 */
function withinReference(losses: readonly Losses[]): Losses[] {
  const reference = losses[0].map((_, i) => {
    const worst = losses.reduce((most, loss) => (Number.isFinite(loss[i]) ? Math.max(most, loss[i]) : most), Number.NEGATIVE_INFINITY)
    return Math.max(1.1 * worst, 0.9 * worst) || Number.EPSILON
  })
  return losses.map((loss) => loss.map((value, i) => (Number.isFinite(value) ? value - reference[i] : 0)))
}

/** The volume between a point and the origin, which is beyond it in every objective. */
function volumeOf(point: Losses): number {
  let volume = 1
  for (let i = 0; i < point.length; i++) volume *= -point[i]
  return volume
}

/** The volume that a point covers and others do not. */
function addedVolume(point: Losses, others: readonly Losses[]): number {
  const within = others.map((other) => other.map((value, i) => Math.max(value, point[i])))
  return volumeOf(point) - hypervolume(within)
}

/** The volume between points and the origin: the sum of the contributions of each point to the later ones (WFG: While, Bradstreet & Barone 2012). */
export function hypervolume(points: readonly Losses[]): number {
  const sorted = [...points].sort(lexicographic)
  const front: Losses[] = []
  for (const point of sorted) if (!front.some((other) => dominates(other, point) || isEqual(other, point))) front.push(point)
  if (front.length > 0 && front[0].length === 2) {
    // in two dimensions the points form a staircase
    let [volume, before] = [0, 0]
    for (const [x, y] of front) {
      volume += -x * (before - y)
      before = y
    }
    return volume
  }
  return front.reduce((volume, point, i) => volume + addedVolume(point, front.slice(i + 1)), 0)
}

function isEqual(a: Losses, b: Losses): boolean {
  return lexicographic(a, b) === 0
}
