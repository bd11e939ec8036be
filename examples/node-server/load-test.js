// Asks a running server from many clients at once, while it is trained again: node load-test.js [clients, 1000] [seconds, 20]
import { Agent, request } from 'node:http'

const [clients = 1000, seconds = 20] = process.argv.slice(2).map(Number)
const port = Number(process.env.PORT ?? 3000)
const ROW = { island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: 14.5, flipper_length_mm: 218, body_mass_g: 5100, sex: 'female' }
const agent = new Agent({ keepAlive: true, maxSockets: clients })

function ask(method, path, body = '') {
  return new Promise((resolve, reject) => {
    const sent = request({ port, method, path, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => (text += part))
      response.on('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`${response.statusCode} ${text}`)),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const times = []
let failures = 0
const end = performance.now() + 1000 * seconds
async function client() {
  while (performance.now() < end) {
    const began = performance.now()
    try {
      await ask('POST', '/predict', JSON.stringify([ROW]))
      times.push(performance.now() - began)
    } catch (error) {
      if (failures++ === 0) console.log(error.message)
    }
  }
}

const before = await ask('GET', '/health')
await ask('POST', '/retrain')
await Promise.all(Array.from({ length: clients }, client))
const after = await ask('GET', '/health')
times.sort((a, b) => a - b)
const at = (share) => `${times[Math.floor(share * (times.length - 1))].toFixed(0)} ms`
console.log(
  `${clients} clients, ${times.length} answers in ${seconds} s, ${Math.round(times.length / seconds)} a second, ${failures} failures`,
)
console.log(`median ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(1)}; model ${before.version} → ${after.version}`)
agent.destroy()
