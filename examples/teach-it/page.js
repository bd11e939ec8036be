// Learns gestures from the camera while a button is held. A vector is a small gray picture; a frozen model, such as MediaPipe's image embedder, makes better
// ones: let `look` return its embedding, and nothing else changes.
import { trainHead } from 'gradus/head'

const SIDE = 24
const video = document.querySelector('video')
const said = document.querySelector('#said')
const rows = [...document.querySelectorAll('li')]
const examples = { vectors: [], labels: [] }
let head // from three examples of two gestures on
let held // the gesture whose button is held

const context = new OffscreenCanvas(SIDE, SIDE).getContext('2d', { willReadFrequently: true })

/** What the camera sees as a vector: gray, mean 0. */
function look() {
  const side = Math.min(video.videoWidth, video.videoHeight)
  context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, SIDE, SIDE)
  const { data } = context.getImageData(0, 0, SIDE, SIDE)
  const gray = Float32Array.from({ length: SIDE * SIDE }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 765)
  const mean = gray.reduce((sum, v) => sum + v, 0) / gray.length
  return gray.map((v) => v - mean)
}

async function learn(vector, label) {
  examples.vectors.push(vector)
  examples.labels.push(label)
  if (head) return head.add(vector, label)
  const counts = rows.map((_, i) => examples.labels.filter((l) => l === i).length)
  if (counts.filter((n) => n >= 3).length >= 2) head = await trainHead(examples.vectors, examples.labels)
}

async function turn() {
  const vector = look()
  if (held !== undefined) await learn(vector, held)
  if (head) {
    const { label, probability, probabilities, isNone } = head.predict(vector)
    for (const [i, row] of rows.entries()) {
      row.querySelector('meter').value = probabilities[i] ?? 0
      row.classList.toggle('is', i === label && !isNone)
    }
    said.textContent = isNone ? 'None of these.' : `${rows[label].textContent.trim()}, ${Math.round(100 * probability)} %`
  }
  document.body.dataset.examples = examples.labels.length
  setTimeout(turn, 100)
}

for (const [i, row] of rows.entries()) {
  const button = row.querySelector('button')
  button.onpointerdown = () => (held = i)
  button.onpointerup = button.onpointerleave = button.onpointercancel = () => (held = undefined)
  button.onkeydown = ({ key }) => (held = key === ' ' || key === 'Enter' ? i : held)
  button.onkeyup = () => (held = undefined)
}
try {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true })
  await video.play()
  turn()
} catch (error) {
  said.textContent = `This page needs a camera, over https or on localhost: ${error.message}`
}
