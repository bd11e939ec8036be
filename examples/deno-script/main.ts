// Newton's law of cooling, fitted to a cup of coffee: parameters with their standard errors. Needs no permission.
import { textChart } from 'gradus/plot'
import { fitCurve } from 'gradus/solve'

const minutes = [0, 2, 4, 6, 8, 10, 15, 20, 30]
const degrees = [92.1, 84.9, 79.0, 73.6, 68.7, 64.6, 55.7, 48.5, 38.9]
const cooling = (t: number, [room, excess, rate]: Float64Array) => room + excess * Math.exp(-rate * t)

const { parameters, errors, rSquared } = fitCurve(cooling, minutes, degrees, { initial: [20, 70, 0.1] })

for (const [i, name] of ['room, °C', 'excess, °C', 'rate, 1/min'].entries())
  console.log(`${name.padEnd(12)} ${parameters[i].toFixed(3)} ± ${errors[i].toFixed(3)}`)
console.log(`R² ${rSquared.toFixed(4)}\n`)

const x = Array.from({ length: 61 }, (_, i) => i)
for (const line of textChart([{ x, y: x.map((t) => cooling(t, parameters)) }])) console.log(line)
