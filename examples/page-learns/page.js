// Learns from each click which text the visitor can read better, black or white, and remembers it in the browser.
import { Adam, binaryCrossEntropy, Dense, loadModelFile, Sequential, saveModel, trainOnBatch } from 'gradus'

const NAME = 'taste.safetensors' // in this origin's IndexedDB
const file = await loadModelFile(NAME).catch(() => undefined)
const model = file?.model ?? new Sequential([new Dense(3, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed: 1 })
const optimizer = new Adam(model.parameters(), { learningRate: 0.02 })
if (file) optimizer.loadState(file.optimizer)
/** Answers of the visitor so far: colors and answers, 1 for white text. */
const seen = file?.seen ?? { inputs: [], targets: [] }

const buttons = document.querySelectorAll('button')
let color
function showNext() {
  color = [Math.random(), Math.random(), Math.random()]
  document.querySelector('#card').style.background = `rgb(${color.map((c) => 255 * c)})`
  const guess = model.predict([color]).item() > 0 ? 1 : 0
  buttons.forEach((button, answer) => button.classList.toggle('guess', answer === guess))
  document.querySelector('#count').textContent = seen.targets.length
}

buttons.forEach((button, answer) => {
  button.onclick = () => {
    seen.inputs.push(color)
    seen.targets.push(answer)
    for (let i = 0; i < 20; i++) trainOnBatch(model, { ...seen, loss: binaryCrossEntropy, optimizer })
    showNext()
    saveModel(model, NAME, { optimizer, seen })
  }
})
showNext()
