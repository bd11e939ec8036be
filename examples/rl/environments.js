// Four worlds to learn in. Each has `start(random)`, which gives a state, `step(state, action)`, and `observe(state)`, what the agent sees. A state is an
// array of numbers and never changes. `hasEnded` says that the episode is over by itself; `limit` ends it after so many steps.

/** A pole on a cart, pushed left or right: 1 point for each step that it stands. Barto, Sutton and Anderson 1983; the numbers are those of Gym's CartPole-v1. */
export const cartPole = {
  observations: 4,
  actions: 2,
  limit: 500,
  start: (random) => [0, 0, 0, 0].map(() => 0.1 * random() - 0.05),
  observe: (state) => state,
  step([x, speed, angle, turn], action) {
    const [gravity, mass, poleMass, halfLength, force, seconds] = [9.8, 1.1, 0.1, 0.5, action === 1 ? 10 : -10, 0.02]
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
    const push = (force + poleMass * halfLength * turn ** 2 * sin) / mass
    const spin = (gravity * sin - cos * push) / (halfLength * (4 / 3 - (poleMass * cos ** 2) / mass))
    const pull = push - (poleMass * halfLength * spin * cos) / mass
    const state = [x + seconds * speed, speed + seconds * pull, angle + seconds * turn, turn + seconds * spin]
    return { state, reward: 1, hasEnded: Math.abs(state[0]) > 2.4 || Math.abs(state[2]) > Math.PI / 15 }
  },
}

/** A car too weak for the hill, which has to swing: −1 for each step until it is up. Moore 1990; Gym's MountainCar-v0. */
export const mountainCar = {
  observations: 2,
  actions: 3,
  limit: 200,
  start: (random) => [-0.6 + 0.2 * random(), 0],
  observe: ([x, speed]) => [x + 0.3, 15 * speed],
  step([x, speed], action) {
    const faster = clamp(speed + 0.001 * (action - 1) - 0.0025 * Math.cos(3 * x), -0.07, 0.07)
    const next = clamp(x + faster, -1.2, 0.6)
    return { state: [next, next === -1.2 ? Math.max(0, faster) : faster], reward: -1, hasEnded: next >= 0.5 }
  },
}

/** A pendulum to be swung up and held by one of five torques: minus its distance from rest at the top. Gym's Pendulum-v1. */
export const pendulum = {
  observations: 3,
  actions: 5,
  limit: 200,
  start: (random) => [(2 * random() - 1) * Math.PI, 2 * random() - 1],
  observe: ([angle, speed]) => [Math.cos(angle), Math.sin(angle), speed / 8],
  step([angle, speed], action) {
    const torque = action - 2
    const fromTop = angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI))
    const faster = clamp(speed + 0.05 * (15 * Math.sin(angle) + 3 * torque), -8, 8)
    return { state: [angle + 0.05 * faster, faster], reward: -(fromTop ** 2 + 0.1 * speed ** 2 + 0.001 * torque ** 2), hasEnded: false }
  },
}

/** A walk on 5 × 5 fields from a corner to the opposite one, round a ditch: −0.02 a step, −1 in the ditch, 1 at the goal. */
export const grid = {
  observations: 25,
  actions: 4,
  limit: 60,
  start: () => [0, 0],
  observe: ([x, y]) => Array.from({ length: 25 }, (_, field) => (field === 5 * y + x ? 1 : 0)),
  step([x, y], action) {
    const state = [clamp(x + [1, 0, -1, 0][action], 0, 4), clamp(y + [0, 1, 0, -1][action], 0, 4)]
    const [isGoal, isDitch] = [state[0] === 4 && state[1] === 4, state[1] === 2 && state[0] < 4]
    return { state, reward: isGoal ? 1 : isDitch ? -1 : -0.02, hasEnded: isGoal || isDitch }
  },
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value))
}

/** Several copies of a world, which go on by themselves. */
export class Worlds {
  constructor(world, count, random) {
    Object.assign(this, { world, random, scores: [] }) // of the episodes that are over
    this.states = Array.from({ length: count }, () => world.start(random))
    this.scored = new Float64Array(count)
    this.steps = new Int32Array(count)
  }

  observe() {
    return this.states.map(this.world.observe)
  }

  /** One step of each copy. `next` is what it sees behind the step, before a new episode begins. */
  step(actions) {
    return Array.from(actions, (action, i) => {
      const { state, reward, hasEnded } = this.world.step(this.states[i], action)
      const isOver = hasEnded || ++this.steps[i] === this.world.limit
      this.scored[i] += reward
      this.states[i] = isOver ? this.world.start(this.random) : state
      const score = this.scored[i]
      if (isOver) {
        this.scores.push(score)
        this.scored[i] = this.steps[i] = 0
      }
      return { reward, hasEnded, isOver, score, next: this.world.observe(state) }
    })
  }

  /** Mean score of the last ten episodes; undefined before there are as many. */
  get score() {
    return this.scores.length < 10 ? undefined : mean(this.scores.slice(-10))
  }
}

/** Mean score of a hundred new episodes of an agent, which gives an action for each row that it sees. */
export function evaluate(world, agent, random) {
  const worlds = new Worlds(world, 100, random)
  const scores = new Map()
  while (scores.size < 100)
    for (const [i, { isOver, score }] of worlds.step(agent(worlds.observe())).entries()) if (isOver && !scores.has(i)) scores.set(i, score)
  return mean([...scores.values()])
}

function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
