// node train.js [world] [ppo | dqn] [seeds]: trains an agent for each seed, shows how the score grows, and writes the curves to curve.svg
import { writeFile } from 'node:fs/promises'
import { load } from 'gradus'
import { lineChart, textChart } from 'gradus/plot'
import { dqn } from './dqn.js'
import { cartPole, grid, mountainCar, pendulum } from './environments.js'
import { ppo } from './ppo.js'

/** The worlds, and the score at which a training ends. */
const WORLDS = { cartPole: [cartPole, 475], mountainCar: [mountainCar, -110], pendulum: [pendulum, -200], grid: [grid, 0.85] }
const [name = 'cartPole', method = 'ppo', count = '10'] = process.argv.slice(2)
if (!WORLDS[name] || !['ppo', 'dqn'].includes(method))
  throw new Error(`node train.js [${Object.keys(WORLDS).join(' | ')}] [ppo | dqn] [seeds]`)
const [world, target] = WORLDS[name]
const seeds = Array.from({ length: Number(count) }, (_, seed) => seed)
await load()

const curves = seeds.map((seed) => ({ name: `seed ${seed}`, x: [], y: [] }))
const note = (seed, steps, score) => {
  if (score === undefined) return
  curves[seed].x.push(steps)
  curves[seed].y.push(score)
}
if (method === 'ppo')
  for (const seed of seeds) {
    const start = performance.now()
    const { steps, score } = await ppo(world, { seed, target, onScore: (steps, score) => note(seed, steps, score) })
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(`seed ${seed}: ${score.toFixed(2)} in a hundred new episodes, after ${steps} steps and ${seconds} s`)
  }
else {
  const agents = await dqn(world, { seeds, onRound: (steps, scores) => scores.forEach((score, i) => void note(i, steps, score)) })
  for (const [seed, agent] of agents.entries()) console.log(`seed ${seed}: ${agent.evaluate().toFixed(2)} in a hundred new episodes`)
}

console.log(`\nmean score of the last ten episodes by steps, a line a seed\n${textChart(curves, { height: 12 }).join('\n')}`)
await writeFile('curve.svg', lineChart(curves, { title: `${name}: ${method} with ${count} seeds`, xLabel: 'steps', yLabel: 'score' }))
console.log('curve.svg has the picture')
