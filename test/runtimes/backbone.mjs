// Pictures through the frozen EfficientNet-Lite0 of backbone.py, as docs/guide/images.md says: inputs, features and scores, for backbone.py to compare.
import { readFileSync, writeFileSync } from 'node:fs'
import { load, tensor } from 'gradus'
import { fromOnnxFeatures } from 'gradus/conv'
import { imagesInFolder, imageTensors } from 'gradus/images'

await load({ threads: 1 })
const file = readFileSync('lite0.onnx')
const backbone = fromOnnxFeatures(file)
const { inputs, names } = await imageTensors(await imagesInFolder('pictures'), { size: 224, channels: 3 })
// the net was trained on numbers from −1 to 1: (byte − 127) / 128
const images = tensor(
  inputs.read().map((x) => (255 * x - 127) / 128),
  inputs.shape,
)

// what the last layer reads: the means of 1,280 channels
const extractor = fromOnnxFeatures(file, { output: '/Reshape_output_0' })
const write = (name, t) => writeFileSync(`${name}.f32`, Float32Array.from(t.read()))
write('images', images)
write('features', extractor.predict(images))
let seconds = Number.POSITIVE_INFINITY
for (let round = 0; round < 5; round++) {
  const before = process.cpuUsage()
  write('scores', backbone.predict(images))
  const { user, system } = process.cpuUsage(before)
  seconds = Math.min(seconds, (user + system) / 1e6 / names.length)
}
writeFileSync('found.json', JSON.stringify({ names, seconds }))
