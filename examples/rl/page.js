// Cart-pole in the page: learns by PPO while the agent plays what it has learned so far.
import { load } from 'gradus'
import { lineChart } from 'gradus/plot'
import { cartPole } from './environments.js'
import { ppo } from './ppo.js'

await load()
const world = document.querySelector('#world').getContext('2d')
const [said, button] = ['#said', '#learn'].map((id) => document.querySelector(id))
const target = 475
const lines = []
let agent // a policy
let seed = 0

button.onclick = async () => {
  button.disabled = true
  const line = { name: `seed ${seed}`, x: [], y: [] }
  lines.push(line)
  const start = performance.now()
  const onScore = (steps, score, policy) => {
    agent = policy
    if (score === undefined) return
    line.x.push(steps)
    line.y.push(score)
    said.textContent = `${steps.toLocaleString()} steps: ${score.toFixed(0)} of 500 points`
    drawCurves()
  }
  const { steps, score } = await ppo(cartPole, { seed: seed++, target, onScore })
  const seconds = (performance.now() - start) / 1000
  said.textContent = `${score >= target ? 'It stands' : 'It does not stand yet'}: ${score.toFixed(0)} of 500 points in a hundred new episodes, learned from ${steps.toLocaleString()} steps in ${seconds.toFixed(1)} s.`
  document.body.dataset.seconds = seconds
  button.disabled = false
}

function drawCurves() {
  const options = { width: 640, height: 260, title: 'score by steps', xLabel: 'steps', yLabel: 'score of ten episodes', yRange: [0, 500] }
  document.querySelector('#curve').innerHTML = lineChart(lines, options)
}

let state = cartPole.start(Math.random)
function play() {
  const logits = agent?.predict([state]).data() ?? [Math.random(), Math.random()]
  const { state: next, hasEnded } = cartPole.step(state, logits[1] > logits[0] ? 1 : 0)
  state = hasEnded ? cartPole.start(Math.random) : next
  const [x, , angle] = state
  const at = 400 + (x * 400) / 2.6
  world.clearRect(0, 0, 800, 300)
  world.fillStyle = '#8888'
  world.fillRect(0, 240, 800, 2)
  world.fillStyle = '#0072b2'
  world.fillRect(at - 45, 215, 90, 40)
  world.lineWidth = 12
  world.lineCap = 'round'
  world.strokeStyle = '#d55e00'
  world.beginPath()
  world.moveTo(at, 215)
  world.lineTo(at + 170 * Math.sin(angle), 215 - 170 * Math.cos(angle))
  world.stroke()
  requestAnimationFrame(play)
}
play()
