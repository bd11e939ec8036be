// Deep Q-learning (Mnih et al. 2015) with double targets (van Hasselt et al. 2016, arXiv 1509.06461), for several seeds at once. The nets take a state and an
// action and give its value, so that the loss is the usual one and `fitMany` trains all of them side by side.
import { Adam, Dense, fitMany, Generator, mse, Sequential, tensor } from 'gradus'
import { evaluate, Worlds } from './environments.js'

const [COPIES, STEPS, MEMORY, BATCH, BATCHES, DISCOUNT] = [8, 8, 50_000, 64, 16, 0.99]

/** Trains an agent for each seed. `onRound(steps, scores)` is told of all; false ends the training. */
export async function dqn(world, { seeds, maxSteps = 50_000, onRound = () => {} }) {
  const agents = seeds.map((seed) => new Agent(world, seed))
  for (let steps = 0, round = 0; steps < maxSteps; steps += COPIES * STEPS, round++) {
    const chance = Math.max(0.04, 1 - steps / (0.16 * maxSteps)) // of a random action
    for (const agent of agents) agent.play(chance)
    if (steps >= 1000) {
      const models = agents.map(({ model }) => model)
      const data = agents.map((agent) => agent.lesson())
      await fitMany(models, { data, optimizers: agents.map(({ optimizer }) => optimizer), loss: mse, batchSize: BATCH, seed: round })
    }
    if (
      onRound(
        steps,
        agents.map(({ worlds }) => worlds.score),
      ) === false
    )
      break
  }
  return agents
}

class Agent {
  constructor(world, seed) {
    const generator = new Generator(seed)
    this.random = () => generator.next()
    this.worlds = new Worlds(world, COPIES, this.random)
    const net = new Sequential(
      [
        new Dense(world.observations + world.actions, 64, { activation: 'relu' }),
        new Dense(64, 64, { activation: 'relu' }),
        new Dense(64, 1),
      ],
      { seed },
    )
    Object.assign(this, { world, model: net, optimizer: new Adam(net.parameters(), { learningRate: 0.0023 }), memory: [], at: 0 })
  }

  /** Values of all actions in each state: a row for each action of the first state, then of the second. */
  values(states) {
    const { actions } = this.world
    return this.model
      .predict(
        this.rows(
          states.flatMap((state) => Array(actions).fill(state)),
          (i) => i % actions,
        ),
      )
      .data()
  }

  /** Inputs of the net: each state, and its action as one-hot. */
  rows(states, actionOf) {
    const { observations, actions } = this.world
    const width = observations + actions
    const rows = new Float32Array(states.length * width)
    for (const [i, state] of states.entries()) {
      rows.set(state, i * width)
      rows[i * width + observations + actionOf(i)] = 1
    }
    return tensor(rows, [states.length, width])
  }

  /** The best action in each state. */
  best(states) {
    const [{ actions }, values] = [this.world, this.values(states)]
    return states.map((_, i) => {
      const own = values.subarray(i * actions, (i + 1) * actions)
      return own.indexOf(Math.max(...own))
    })
  }

  play(chance) {
    for (let t = 0; t < STEPS; t++) {
      const seen = this.worlds.observe()
      const actions = this.best(seen).map((action) => (this.random() < chance ? Math.floor(this.random() * this.world.actions) : action))
      for (const [i, result] of this.worlds.step(actions).entries()) {
        this.memory[this.at] = { seen: seen[i], action: actions[i], ...result }
        this.at = (this.at + 1) % MEMORY
      }
    }
  }

  /** What to learn in a round: random memories, each with the value that the net gives what came next. */
  lesson() {
    const { actions } = this.world
    const drawn = Array.from({ length: BATCH * BATCHES }, () => this.memory[Math.floor(this.random() * this.memory.length)])
    const values = this.values(drawn.map(({ next }) => next))
    const inputs = this.rows(
      drawn.map(({ seen }) => seen),
      (i) => drawn[i].action,
    )
    // rewards × (1 − discount), so that values stay as large as rewards
    const targets = drawn.map(({ reward, hasEnded }, i) => {
      const best = Math.max(...values.subarray(i * actions, (i + 1) * actions))
      return [(1 - DISCOUNT) * reward + (hasEnded ? 0 : DISCOUNT * best)]
    })
    return { inputs, targets }
  }

  evaluate() {
    return evaluate(this.world, (seen) => this.best(seen), this.random)
  }
}
