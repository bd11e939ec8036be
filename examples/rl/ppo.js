// Proximal policy optimization (Schulman et al. 2017, arXiv 1707.06347) with generalized advantages (2015, arXiv 1506.02438).
import {
  Adam,
  argmax,
  clip,
  Dense,
  exp,
  fit,
  Generator,
  logSoftmax,
  mean,
  minimum,
  mse,
  mul,
  neg,
  Sequential,
  split,
  sub,
  sum,
} from 'gradus'
import { evaluate, Worlds } from './environments.js'

const [COPIES, STEPS, EPOCHS, BATCH, DISCOUNT, TRACE, RANGE] = [8, 32, 20, 256, 0.98, 0.8, 0.2]

/** Trains an agent until its mean score of a hundred new episodes is `target`, or for `maxSteps`. `onScore(steps, score, policy)` is
 * told of the last ten. */
export async function ppo(world, { seed = 0, target, maxSteps = 200_000, onScore = () => {} }) {
  const { observations, actions } = world
  const net = (outputs, seed) =>
    new Sequential(
      [new Dense(observations, 64, { activation: 'tanh' }), new Dense(64, 64, { activation: 'tanh' }), new Dense(64, outputs)],
      { seed },
    )
  const [policy, value] = [net(actions, 2 * seed), net(1, 2 * seed + 1)]
  const optimizers = [policy, value].map((model) => new Adam(model.parameters(), { learningRate: 0.001 }))
  const generator = new Generator(seed)
  const random = () => generator.next()
  const worlds = new Worlds(world, COPIES, random)
  const test = () => evaluate(world, (seen) => argmax(policy.predict(seen), 1).data(), random)

  // a row of targets: the action as one-hot, its log-probability when it was taken, its advantage
  const loss = (logits, targets) => {
    const [taken, before, advantage] = split(targets, [actions, 1, 1], 1)
    const ratio = exp(sub(sum(mul(logSoftmax(logits), taken), 1, true), before))
    return neg(mean(minimum(mul(ratio, advantage), mul(clip(ratio, 1 - RANGE, 1 + RANGE), advantage))))
  }

  for (let steps = 0, round = 0; steps < maxSteps; steps += COPIES * STEPS, round++) {
    const rows = []
    for (let t = 0; t < STEPS; t++) {
      const seen = worlds.observe()
      const logs = logSoftmax(policy.predict(seen)).toArray()
      const taken = logs.map((log) => draw(log.map(Math.exp), random()))
      for (const [i, result] of worlds.step(taken).entries())
        rows.push({ seen: seen[i], action: taken[i], log: logs[i][taken[i]], ...result })
    }
    const values = value.predict(rows.map(({ seen }) => seen)).data()
    const after = value.predict(rows.map(({ next }) => next)).data()
    const advantages = new Float64Array(rows.length)
    for (let i = rows.length - 1; i >= 0; i--) {
      const { reward, hasEnded, isOver } = rows[i]
      const surprise = reward + (hasEnded ? 0 : DISCOUNT * after[i]) - values[i]
      advantages[i] = surprise + (isOver || i + COPIES >= rows.length ? 0 : DISCOUNT * TRACE * advantages[i + COPIES])
    }
    const average = advantages.reduce((sum, a) => sum + a, 0) / rows.length
    const deviation = Math.sqrt(advantages.reduce((sum, a) => sum + (a - average) ** 2, 0) / rows.length) + 1e-8

    const inputs = rows.map(({ seen }) => seen)
    const oneHot = (action) => Array.from({ length: actions }, (_, i) => (i === action ? 1 : 0))
    const targets = rows.map(({ action, log }, i) => [...oneHot(action), log, (advantages[i] - average) / deviation])
    const training = { inputs, epochs: EPOCHS, batchSize: BATCH, seed: round }
    await fit(policy, { ...training, targets, loss, optimizer: optimizers[0] })
    await fit(value, { ...training, targets: rows.map((_, i) => [advantages[i] + values[i]]), loss: mse, optimizer: optimizers[1] })
    onScore(steps, worlds.score, policy)
    if (worlds.score >= 0.8 * target) {
      const score = test()
      if (score >= target) return { policy, steps, score }
    }
  }
  return { policy, steps: maxSteps, score: test() }
}

function draw(probabilities, at) {
  let sum = 0
  for (let i = 0; i < probabilities.length; i++) if (at < (sum += probabilities[i])) return i
  return probabilities.length - 1
}
