/** The cheapest way through the data, step by step, under the probabilities that a model has learned. */
import { alike } from './matches.mjs'
import { LONGEST, START, walk } from './model.mjs'

/** A match of that length is taken as it is: what might be gained by cutting it is not worth the search. */
const LONG = 200

/** Bits that an event of a probability in 4096ths costs. */
export const COST = Float64Array.from({ length: 4097 }, (_, p) => -Math.log2(Math.max(p, 1) / 4096))

/** Pairs of place and step, from `start` on. */
export function cheapest(source, start, matches, model) {
  const { data } = source
  const nodes = Array.from({ length: data.length + 1 }, () => ({ cost: Infinity, from: 0, step: null, state: START }))
  nodes[start].cost = 0
  const priced = pricing(model)
  const tryStep = (at, step) => {
    const node = nodes[at]
    const { state, cost } = priced(node.state, source, at, step)
    const next = nodes[at + (step ? step.length : 1)]
    if (node.cost + cost < next.cost) Object.assign(next, { cost: node.cost + cost, from: at, step, state })
  }
  for (let at = start; at < data.length; ) {
    tryStep(at, null)
    const longest = Math.max(tryOld(data, at, nodes[at].state, tryStep), tryNew(at, nodes[at].state, matches[at], tryStep))
    at += longest >= LONG ? longest : 1
  }
  const path = []
  for (let at = data.length; at > start; at = nodes[at].from) path.push([nodes[at].from, nodes[at].step])
  return path.reverse()
}

/** What a step costs, and the state after it; the model learns nothing. */
function pricing(model) {
  let cost = 0
  const put = (index, bit) => {
    const one = model.probability(index)
    cost += COST[bit ? one : 4096 - one]
  }
  return (before, source, at, step) => {
    cost = 0
    const state = walk(put, before, source, at, step)
    return { state, cost }
  }
}

/** Matches that go back as far as one of the last four; a single byte only as far as the last. */
function tryOld(data, at, { back }, tryStep) {
  let longest = 0
  for (const distance of new Set(back)) {
    if (distance === 0) continue
    const most = alike(data, at - distance, at, LONGEST)
    const least = distance === back[0] ? 1 : 2
    for (let length = most >= LONG ? most : least; length <= most; length++) tryStep(at, { length, back: distance })
    longest = Math.max(longest, most)
  }
  return longest
}

function tryNew(at, { back }, matches, tryStep) {
  let tried = 1
  for (const match of matches) {
    if (!back.includes(match.back)) {
      for (let length = match.length >= LONG ? match.length : tried + 1; length <= match.length; length++) {
        tryStep(at, { length, back: match.back })
      }
    }
    tried = match.length
  }
  return tried
}
