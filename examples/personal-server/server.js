// A net for each user: it learns from every rating at once, and ranks the songs that the user has not rated.
import { existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { Adam, binaryCrossEntropy, Dense, Generator, loadModelFile, Sequential, saveModel, sigmoid, trainOnBatch } from 'gradus'

const FOLDER = process.env.USERS ?? 'users'
mkdirSync(FOLDER, { recursive: true })

// Songs are rows of numbers from 0 to 1; in your shop they are what you know of a product.
const FEATURES = ['loud', 'fast', 'sad', 'old', 'sung']
const random = new Generator(1)
const songs = Array.from({ length: 200 }, (_, id) => ({ id, features: FEATURES.map(() => random.next()) }))

/** @type {Map<string, Promise<{ model: Sequential, optimizer: Adam, ratings: Map<number, boolean>, saving: Promise<void> }>>} */
const users = new Map()

const fileOf = (name) => `${FOLDER}/${name}.safetensors`

async function loadUser(name) {
  const path = fileOf(name)
  const file = existsSync(path) ? await loadModelFile(path) : undefined
  const layers = [new Dense(FEATURES.length, 8, { activation: 'tanh' }), new Dense(8, 1)]
  const model = file?.model ?? new Sequential(layers, { seed: 1 })
  const optimizer = new Adam(model.parameters(), { learningRate: 0.02 })
  if (file) optimizer.loadState(file.optimizer)
  return { model, optimizer, ratings: new Map(file?.ratings), saving: Promise.resolve() }
}

function userOf(name) {
  if (!users.has(name)) users.set(name, loadUser(name))
  return users.get(name)
}

/** Ten steps on all ratings of the user, the new one among them. */
function learn({ model, optimizer, ratings }) {
  const inputs = [...ratings.keys()].map((id) => songs[id].features)
  const targets = [...ratings.values()].map(Number)
  for (let i = 0; i < 10; i++) trainOnBatch(model, { inputs, targets, loss: binaryCrossEntropy, optimizer })
}

function recommend({ model, ratings }) {
  const fresh = songs.filter(({ id }) => !ratings.has(id))
  const scores = sigmoid(model.predict(fresh.map(({ features }) => features))).data()
  const rated = fresh.map(({ id }, i) => ({ id, liking: Number(scores[i].toFixed(3)) }))
  return rated.sort((a, b) => b.liking - a.liking).slice(0, 5)
}

async function answer(name, id, verdict) {
  const user = await userOf(name)
  if (verdict) {
    const { model, optimizer, ratings } = user
    ratings.set(Number(id), verdict === 'like')
    learn(user)
    user.saving = user.saving.then(() => saveModel(model, fileOf(name), { optimizer, ratings: [...ratings] }))
    await user.saving
  }
  return recommend(user)
}

const server = createServer((request, response) => {
  const [, name, id, verdict] = /^\/([a-z0-9]{1,32})(?:\/(\d{1,3})\/(like|dislike))?$/.exec(request.url) ?? []
  if (!name || (id && !songs[id]) || request.method !== (id ? 'POST' : 'GET'))
    return response.writeHead(404).end('GET /ann, or POST /ann/17/like or /ann/17/dislike\n')
  answer(name, id, verdict).then(
    (list) => response.setHeader('content-type', 'application/json').end(JSON.stringify(list)),
    (error) => response.writeHead(500).end(error.message),
  )
})
server.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}/ann`))
