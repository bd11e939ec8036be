/** Trainings on pictures, from the user's side. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toOnnx } from '../../ts/export/index.js'
import {
  type ImageEpoch,
  ImageModel,
  imagesInFolder,
  imageTensors,
  type LabeledImages,
  loadImageModel,
  reportHtml,
  reportText,
  trainImages,
} from '../../ts/images/index.js'
import { encodeModel, Generator, loadModel } from '../../ts/index.js'
import { byClock, counted } from '../tools/clocks.js'
import { gradus } from '../tools/command.js'
import { shape, writeShapes } from './pictures.js'

let folder: string
let model: ImageModel
const epochs: ImageEpoch[] = []
const at = (...names: string[]) => path.join(folder, ...names)

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-images-'))
  await writeShapes(at('shapes'), 60)
  writeFileSync(at('shapes', 'circle', 'broken.png'), 'no picture')
  writeFileSync(at('shapes', 'circle', '.hidden.png'), 'hidden')
  writeFileSync(at('shapes', 'square', 'notes.txt'), 'no picture either')
  model = await trainImages(await imagesInFolder(at('shapes')), { epochs: 40, onEpoch: (epoch) => void epochs.push(epoch) })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a folder of circles and squares', () => {
  test('is learned, in color and at its size', () => {
    const { report, size, channels, classes } = model
    expect([size, channels, classes]).toEqual([16, 3, ['circle', 'square']])
    expect(report.accuracy).toBeGreaterThan(0.9)
    expect([report.trainCount, report.validationCount, report.counts]).toEqual([96, 24, [60, 60]])
    expect(report.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(24)
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: epochs.length }, (_, i) => i + 1))
    expect(Math.min(...epochs.map(({ validationLoss }) => validationLoss))).toBeCloseTo(report.logLoss, 6)
  })

  test('new ones are named, from files and from pixels', async () => {
    const generator = new Generator(9)
    const kinds = Array.from({ length: 20 }, (_, i): 'circle' | 'square' => (i % 2 ? 'circle' : 'square'))
    const answers = await model.predict(kinds.map((kind) => shape(kind, generator)))
    expect(answers.filter((answer, i) => answer.class === kinds[i]).length).toBeGreaterThanOrEqual(18)
    for (const { class: own, probability, probabilities } of answers) {
      expect(probabilities[own]).toBe(probability)
      expect(probabilities.circle + probabilities.square).toBeCloseTo(1, 5)
    }
    expect(await model.predict([])).toEqual([])
    await expect(model.predict([shape('circle', generator), new Uint8Array([1, 2])])).rejects.toThrow(/picture 2 cannot be read/)
  })

  test('an evaluation says of other pictures what a report says of those set aside', async () => {
    const generator = new Generator(19)
    const labels = Array.from({ length: 20 }, (_, i): 'circle' | 'square' => (i % 2 ? 'circle' : 'square'))
    const images = labels.map((kind) => shape(kind, generator))
    const found = await model.evaluate({ images, labels })
    const answers = await model.predict(images)
    const right = answers.filter((answer, i) => answer.class === labels[i]).length
    expect(found).toMatchObject({ count: 20, accuracy: right / 20, baseline: 0.5, skipped: [], classes: ['circle', 'square'] })
    const logLoss = answers.reduce((sum, { probabilities }, i) => sum - Math.log(probabilities[labels[i]]), 0) / 20
    expect(found.logLoss).toBeCloseTo(logLoss, 6)
    expect(found.confusion.map((row) => row[0] + row[1])).toEqual([10, 10])
    expect(found.mistakes).toHaveLength(20 - right)
    // one class alone, and a picture that cannot be read
    const bad = new Uint8Array([1, 2])
    const circles = await model.evaluate({ images: [images[1], images[3], bad], labels: ['circle', 'circle', 'circle'] })
    expect(circles).toMatchObject({ count: 2, classes: ['circle', 'square'], skipped: [{ name: 'image 3' }] })
    expect(reportText(circles)).toMatch(/on 2 pictures\n[\s\S]*square +0 +–[\s\S]*1 picture is left out/)
    expect(reportText(circles)).not.toContain('learned from')
    expect(reportHtml(found)).toContain('Class by class')
    await expect(model.evaluate({ images: [images[0]], labels: ['star'] })).rejects.toThrow(
      "labels[0] wants one of the 2 known classes, such as 'circle', got 'star'",
    )
    await expect(model.evaluate({ images: [bad], labels: ['circle'] })).rejects.toThrow(/ImageModel: 1 of 1 pictures cannot be read/)
  })

  test('what cannot be read is listed, hidden and other files are not looked at', () => {
    expect(model.report.skipped).toEqual([{ name: at('shapes', 'circle', 'broken.png'), reason: expect.stringMatching(/it is no PNG/) }])
  })

  test('the same seed gives the same net, another seed another', async () => {
    const images = await imagesInFolder(at('shapes'))
    const short = { epochs: 2, size: 8 }
    const [one, two, other] = [
      await trainImages(images, short),
      await trainImages(images, short),
      await trainImages(images, { ...short, seed: 1 }),
    ]
    expect(two.bytes()).toEqual(one.bytes())
    expect(other.bytes()).not.toEqual(one.bytes())
  })

  test('the file gives the same answers', async () => {
    await model.save(at('model.safetensors'))
    const picture = readFileSync(at('shapes', 'square', '1.png'))
    const wanted = await model.predict([picture])
    for (const again of [await loadImageModel(at('model.safetensors')), await loadImageModel(model.bytes())]) {
      expect(await again.predict([picture])).toEqual(wanted)
      expect(again.report).toEqual(model.report)
    }
    expect((await loadModel(at('model.safetensors'))).describe()).toContain('Sequential')
  })

  test('the report is a page and lines', () => {
    expect(reportText(model, { width: 80 })).toMatch(
      /accuracy +[01]\.\d+ \(0\.\d+ to [01]\.\d+\) on 24 pictures[\s\S]*circle[\s\S]*left out/,
    )
    const html = reportHtml(model)
    expect(html).toMatch(/^<!doctype html>/i)
    expect(html).not.toMatch(/undefined|NaN/)
    // each picture, and the same again under its map
    const shown = model.report.mistakes.length + model.report.surest.length
    expect(html.match(/<image href="data:image\/bmp;base64,/g)).toHaveLength(3 * shown)
  })

  test('maps show where the net sees a class', async () => {
    const { size, report } = model
    expect(report.surest.map(({ class: own, predicted }) => [own, predicted])).toEqual(model.classes.map((name) => [name, name]))
    for (const { map, pixels } of [...report.surest, ...report.mistakes])
      expect([map.length, Math.max(...map), pixels.length]).toEqual([size * size, 255, size * size * 3])
    const picture = readFileSync(at('shapes', 'square', '1.png'))
    const map = await model.activationMap(picture, 'square')
    expect(map).toHaveLength(size * size)
    const [answer] = await model.predict([picture])
    expect(await model.activationMap(picture)).toEqual(await model.activationMap(picture, answer.class))
    await expect(model.activationMap(picture, 'triangle')).rejects.toThrow(/one of the model's 2 classes, such as 'circle', got 'triangle'/)
    await expect(model.activationMap(picture, 1 as never)).rejects.toThrow(/got 1$/)
    await expect(model.activationMap(new Uint8Array(3))).rejects.toThrow(/picture 1 cannot be read/)
  })

  test('a net whose weights are NaN names nothing', async () => {
    const other = await loadImageModel(model.bytes())
    other.net.parameters()[0].view().fill(Number.NaN)
    const picture = shape('circle', new Generator(9))
    for (const call of [() => other.predict([picture]), () => other.activationMap(picture)])
      await expect(call()).rejects.toThrow(/^ImageModel: the net gives NaN/)
  })

  test('a report of large pictures is a page', async () => {
    const { images, labels } = await imagesInFolder(at('shapes'))
    const few = [1, 2, 100, 101]
    const large = { images: few.map((i) => images[i]), labels: few.map((i) => labels[i]) }
    expect(reportHtml(await trainImages(large, { size: 256, epochs: 1, validationFraction: 0.5 }))).toContain('data:image/bmp')
  })

  test('a file whose pictures do not fit is damaged', async () => {
    const damaged = (change: object) => {
      const [first] = model.report.surest
      const images = { ...model, format: 'gradus-images/1', report: { ...model.report, surest: [{ ...first, ...change }] } }
      const { net, ...stored } = images
      return loadImageModel(encodeModel(net, { images: stored }))
    }
    expect(await damaged({})).toBeInstanceOf(ImageModel)
    for (const change of [{ map: [] }, { map: new Uint8Array(3) }, { pixels: new Uint8Array(3) }, { pixels: 'none' }])
      await expect(damaged(change)).rejects.toThrow(/the file is damaged/)
  })

  test('a file with a part of its report missing or of another kind is damaged, and says so before it is shown', async () => {
    const { net, report, size, channels, classes } = model
    const own = { format: 'gradus-images/1', size, channels, classes, report }
    const decoded = (change: object) => loadImageModel(encodeModel(net, { images: { ...own, ...change } }))
    const [first] = report.nets
    const odd = [undefined, null, 'text', {}, [null, null], [{}, {}], [[1], [2]]]
    for (const name of Object.keys(report))
      for (const value of odd)
        await expect(decoded({ report: { ...report, [name]: value } }), `${name}: ${JSON.stringify(value)}`).rejects.toThrow(
          /the file is damaged/,
        )
    for (const name of Object.keys(first))
      await expect(decoded({ report: { ...report, nets: [{ ...first, [name]: null }] } }), name).rejects.toThrow(/the file is damaged/)
    await expect(decoded({ classes: [1, 2] })).rejects.toThrow(/the file is damaged/)
    const twice = await decoded({ report: { ...report, nets: [first, first] } })
    expect(reportText(twice)).toContain('Nets that learned')
  })
})

test('gray pictures have one channel, and augmentation can be left out', async () => {
  const images = Array.from({ length: 12 }, (_, i) => ({
    width: 10,
    height: 10,
    data: new Uint8Array(400).fill(i % 2 ? 60 : 180).map((v, j) => (j % 4 === 3 ? 255 : v)),
  }))
  const gray = await trainImages({ images, labels: images.map((_, i) => (i % 2 ? 'dark' : 'light')) }, { epochs: 10, augment: false })
  expect([gray.channels, gray.size]).toEqual([1, 10])
  expect((await gray.predict([images[0]]))[0].class).toBe('light')
})

test('advice does not contradict the figures of few pictures', async () => {
  const report = {
    ...model.report,
    confusion: [
      [3, 0],
      [0, 2],
    ],
    accuracy: 1,
    baseline: 0.6,
    validationCount: 5,
  }
  const said = (more: object) => reportText({ ...model, report: { ...report, ...more } } as unknown as ImageModel).replace(/\s+/g, ' ')
  expect(said({})).toContain('5 pictures cannot tell whether it is better than naming the most common class')
  expect(said({ accuracy: 0.6 })).toContain('It is no better than naming the most common class')
  expect(said({ validationCount: 500 })).not.toContain('naming the most common class')
})

test('pictures become tensors for a training of one’s own', async () => {
  const { inputs, targets, classes, names, skipped } = await imageTensors(await imagesInFolder(at('shapes')))
  expect([inputs.shape, classes, skipped.length, names.length]).toEqual([[120, 16, 16, 3], ['circle', 'square'], 1, 120])
  const file = path.join('circle', '1.png')
  const row = names.findIndex((name) => name.endsWith(file))
  const [answer] = await model.predict([readFileSync(at('shapes', file))])
  const logits = model.net.predict(inputs).toArray() as number[][]
  expect(1 / (1 + Math.exp(logits[row][1] - logits[row][0]))).toBeCloseTo(answer.probabilities.circle, 5)
  const right = logits.filter(([circle, square], i) => Number(square > circle) === targets[i]).length
  expect(right / 120).toBe((await model.evaluate(await imagesInFolder(at('shapes')))).accuracy)
  const shade = (value: number) => ({ width: 2, height: 2, data: new Uint8Array(16).fill(value) })
  const shades = { images: [0, 255, 51].map(shade), labels: ['b', 'a', 'b'] }
  const gray = await imageTensors(shades, { size: 8, classes: ['z', 'b', 'a'] })
  expect([gray.inputs.shape, [...gray.targets]]).toEqual([[3, 8, 8, 1], [1, 2, 1]]) // biome-ignore format: one line
  // black of no opacity, white, gray of a fifth of opacity: on white
  for (const [row, value] of [1, 1, 214 / 255].entries()) expect(gray.inputs.data()[row * 64]).toBeCloseTo(value, 2)
  await expect(imageTensors(shades, { classes: [] })).rejects.toThrow('classes wants an array of different texts')
  await expect(imageTensors(shades, { classes: ['a'] })).rejects.toThrow("labels[0] wants one of the 1 known classes, such as 'a', got 'b'")
})

describe('an error says what to do about', () => {
  const two = (labels: string[]): LabeledImages => ({ images: labels.map(() => shape('circle', new Generator(1))), labels })
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['one class', () => trainImages(two(['a', 'a'])), /two classes or more, got those of 'a' alone/],
    ['a class with one picture', () => trainImages(two(['a', 'b', 'b'])), /class 'a' has 1 picture; 2 or more/],
    ['too few labels', () => trainImages({ images: [new Uint8Array(1)], labels: [] }), /1 pictures and 0 labels/],
    ['no pictures', () => trainImages({ images: [], labels: [] }), /wants pictures, got none/],
    ['too few names', () => trainImages({ ...two(['a', 'b']), names: ['x'] }), /2 pictures and 1 names/],
    [
      'none to measure with',
      () => trainImages(two(['a', 'a', 'b', 'b']), { validationFraction: 0.1 }),
      /validationFraction 0.1 of 4 pictures leaves none to measure with; add pictures, or choose a larger fraction/,
    ],
    [
      'none to learn from',
      () => trainImages(two(['a', 'a', 'b', 'b']), { validationFraction: 0.9 }),
      /leaves none to learn from; add pictures, or choose a smaller fraction/,
    ],
    [
      'one to learn from',
      () => trainImages(two(['a', 'a', 'b', 'b']), { validationFraction: 0.75 }),
      /validationFraction 0.75 of 4 pictures leaves one to learn from; add pictures, or choose a smaller fraction/,
    ],
    ['a label that is no text', () => trainImages(two(['a', 3 as never])), /labels\[1\] wants a text, got 3/],
    [
      'pictures that cannot be read',
      () => trainImages({ images: [new Uint8Array(3), new Uint8Array(3)], labels: ['a', 'b'] }),
      /2 of 2 pictures cannot be read; image 1: /,
    ],
    ['a name that is no text', () => trainImages({ ...two(['a', 'b']), names: ['x', 3 as never] }), /names\[1\] wants a text, got 3/],
    [
      'a list of left-out pictures that is none',
      () => trainImages({ ...two(['a', 'b']), skipped: 'x' as never }),
      /skipped wants an array.*got 'x'/,
    ],
    ['names that are no list', () => trainImages({ ...two(['a', 'b']), names: 'xy' as never }), /names wants an array of texts.*got 'xy'/],
    ['nothing', () => trainImages(undefined as never), /wants \{ images, labels \}/],
    ['a misspelt option', () => trainImages(two(['a', 'b']), { epoch: 3 } as never), /epoch.*did you mean.*epochs/],
    ['a misspelt change', () => trainImages(two(['a', 'b']), { augment: { flips: true } as never }), /flips.*flip/],
    [
      'a model of another kind',
      () =>
        import('../../ts/index.js').then(({ encodeModel, Sequential, Dense }) =>
          loadImageModel(encodeModel(new Sequential([new Dense(2, 2)]))),
        ),
      /holds no model of pictures/,
    ],
  ])('%s', async (_, run, message) => {
    await expect(run()).rejects.toThrow(message)
  })

  test('folders without classes', async () => {
    mkdirSync(at('flat'))
    writeFileSync(at('flat', 'a.png'), '')
    await expect(imagesInFolder(at('flat'))).rejects.toThrow(/a folder for each class.*got 1 files and no folder/)
    mkdirSync(at('one', 'cat'), { recursive: true })
    await expect(imagesInFolder(at('one'))).rejects.toThrow(/wants pictures \(png.*got none in one folder$/)
    writeFileSync(at('one', 'cat', 'a.png'), '')
    expect((await imagesInFolder(at('one'))).labels).toEqual(['cat'])
    await expect(trainImages(await imagesInFolder(at('one')))).rejects.toThrow(/1 of 1 pictures cannot be read/)
    mkdirSync(at('one', 'Cat'))
    writeFileSync(at('one', 'Cat', 'a.png'), '')
    await expect(imagesInFolder(at('one'))).rejects.toThrow(/Cat and cat, which differ by case alone/)
    await expect(imagesInFolder(at('nowhere'))).rejects.toThrow(/there is none/)
    for (let i = 0; i <= 1000; i++) {
      mkdirSync(at('many', String(i)), { recursive: true })
      writeFileSync(at('many', String(i), 'a.png'), '')
    }
    await expect(imagesInFolder(at('many'))).rejects.toThrow(/at most 1000 classes, got 1001 folders; each class is a folder/)
  })

  test('a folder that is a link is a class, a link to nothing is not', async () => {
    mkdirSync(at('linked'))
    symlinkSync(at('shapes', 'circle'), at('linked', 'round'))
    symlinkSync(at('shapes', 'square'), at('linked', 'straight'))
    symlinkSync(at('nowhere'), at('linked', 'gone'))
    const { labels } = await imagesInFolder(at('linked'))
    expect(labels).toHaveLength(121)
    expect([...new Set(labels)]).toEqual(['round', 'straight'])
  })

  test('folders without pictures, pictures beside folders and links to nothing are told', async () => {
    for (const label of ['round', 'straight', 'odd']) mkdirSync(at('told', label), { recursive: true })
    const picture = readFileSync(at('shapes', 'circle', '1.png'))
    for (const [i, label] of ['round', 'straight', 'round', 'straight'].entries()) writeFileSync(at('told', label, `${i}.png`), picture)
    writeFileSync(at('told', 'odd', 'notes.txt'), '')
    writeFileSync(at('told', 'stray.PNG'), picture)
    writeFileSync(at('told', 'round', 'phone.HEIC'), 'ftypheic')
    symlinkSync(at('nowhere'), at('told', 'gone'))
    symlinkSync(at('nowhere'), at('told', 'round', 'gone.png'))
    const given = await imagesInFolder(at('told'))
    const before = [
      { name: at('told', 'gone'), reason: 'it is a link to nothing' },
      { name: at('told', 'stray.PNG'), reason: 'it is in no folder of a class; move it into one' },
      { name: `${at('told', 'odd')}/`, reason: 'the folder holds no picture; put some into it, or take it away' },
    ]
    expect([...(given.skipped ?? [])].sort((a, b) => a.name.length - b.name.length)).toEqual(
      [...before].sort((a, b) => a.name.length - b.name.length),
    )
    const trained = await trainImages(given, { epochs: 1 })
    expect(trained.report.skipped.map(({ name }) => name)).toEqual([
      ...(given.skipped ?? []).map(({ name }) => name),
      at('told', 'round', 'gone.png'),
      at('told', 'round', 'phone.HEIC'),
    ])
    const shown = reportText(trained, { width: 200 })
    expect(shown).toContain('4 pictures and 1 folder are left out')
    expect(shown).toContain(`${at('told', 'round', 'gone.png')}: it is a link to nothing, or was moved`)
    expect(shown).toMatch(/phone\.HEIC: it is no PNG, JPEG, .*; save it as PNG or JPEG/)
  })

  test('classes whose names look the same', async () => {
    for (const label of ['caf\u00e9', 'cafe\u0301']) {
      mkdirSync(at('accents', label), { recursive: true })
      writeFileSync(at('accents', label, 'a.png'), '')
    }
    await expect(imagesInFolder(at('accents'))).rejects.toThrow(/differ by the code of an accent alone; put them into one folder/)
  })

  test('one class alone, and why', async () => {
    const circle = readFileSync(at('shapes', 'circle', '1.png'))
    const one = (labels: string[], images: Uint8Array[]) => trainImages({ images, labels }, { epochs: 1 })
    await expect(one(['a', 'a'], [circle, circle])).rejects.toThrow("got those of 'a' alone; add some of another class")
    await expect(one(['a', 'a', 'b'], [circle, circle, new Uint8Array(9)])).rejects.toThrow(
      /those of 'a' alone; 1 left out, the first is image 3: it is no PNG/,
    )
  })

  test('a folder with the name of a picture is none, nor is a link to one; a link to nothing is one that cannot be read', async () => {
    for (const label of ['cat', 'dog']) mkdirSync(at('named', label, 'inside', 'album.png'), { recursive: true })
    writeFileSync(at('named', 'cat', 'inside', 'album.png', '1.png'), '')
    writeFileSync(at('named', 'dog', '2.png'), '')
    symlinkSync(at('named', 'dog', '2.png'), at('named', 'cat', '3.png'))
    symlinkSync(at('named', 'cat', 'inside'), at('named', 'dog', 'folder.png'))
    symlinkSync(at('nowhere'), at('named', 'dog', 'nothing.png'))
    const { names } = await imagesInFolder(at('named'))
    const wanted = [['cat', '3.png'], ['cat', 'inside', 'album.png', '1.png'], ['dog', '2.png'], ['dog', 'nothing.png']] // biome-ignore format: one line
    expect(names).toEqual(wanted.map((name) => at('named', ...name)))
  })

  test('a signal', async () => {
    const controller = new AbortController()
    const training = trainImages(await imagesInFolder(at('shapes')), {
      signal: controller.signal,
      onEpoch: () => controller.abort(new Error('enough')),
    })
    await expect(training).rejects.toThrow('enough')
  })
})

describe('a residual net', () => {
  const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
  const given = { images: Array.from({ length: 20 }, (_, i) => shade(i % 2 ? 230 - i : 20 + i)), labels: Array.from({ length: 20 }, (_, i) => (i % 2 ? 'light' : 'dark')) } // biome-ignore format: one line

  test('learns, has at most 100,000 weights, and is in the file', async () => {
    const train = () => trainImages(given, { net: 'residual', epochs: 2 })
    const [one, two] = [await train(), await train()]
    expect(two.bytes()).toEqual(one.bytes())
    expect(one.report).toMatchObject({ net: 'residual', nets: [{ net: 'residual', epochs: 2, accuracy: one.report.accuracy }] })
    expect(one.report.parameters).toBeLessThan(100_000)
    expect(await (await loadImageModel(one.bytes())).predict([shade(12)])).toEqual(await one.predict([shade(12)]))
    expect(await one.activationMap(shade(12))).toHaveLength(64)
  })

  test('learns in the time that is left, and the better net stays', async () => {
    const seen: string[] = []
    const onEpoch = ({ net, epoch }: ImageEpoch) => void seen.push(`${net} ${epoch}`)
    const { report } = await counted(() => trainImages(given, { epochs: 4, time: 1000, onEpoch }))
    expect(seen.filter((epoch) => epoch.endsWith('1'))).toEqual(['small 1', 'residual 1'])
    const [small, residual] = report.nets
    expect([small.net, residual.net]).toEqual(['small', 'residual'])
    const best = residual.validationLoss < small.validationLoss ? residual : small
    expect([report.net, report.parameters]).toEqual([best.net, best.parameters])
    expect(report.logLoss).toBeCloseTo(best.validationLoss, 6)
    const { net, ...rest } = await trainImages(given, { epochs: 4 })
    expect(rest.report.nets.map((tried) => tried.net)).toEqual(['small'])
    expect(reportText({ ...rest, net, report } as unknown as ImageModel)).toMatch(/Nets that learned[\s\S]*small[\s\S]*residual/)
  })

  test.each([['large'], [1], [['small']], [null]])('is not %o', async (net) => {
    await expect(trainImages(given, { net: net as never })).rejects.toThrow(/net wants .*small.*residual/)
  })
})

test('the largest seed is one', async () => {
  const { images, labels } = await imagesInFolder(at('shapes'))
  const few = [1, 2, 3, 100, 101, 102]
  const some = { images: few.map((i) => images[i]), labels: few.map((i) => labels[i]) }
  expect((await trainImages(some, { size: 8, epochs: 2, seed: Number.MAX_SAFE_INTEGER })).report.trainCount).toBeGreaterThan(1)
})

test('time ends a training', async () => {
  const seen: ImageEpoch[] = []
  const images = await imagesInFolder(at('shapes'))
  await byClock('runs ahead', 0, () => trainImages(images, { time: 0.01, onEpoch: (epoch) => void seen.push(epoch) }))
  expect(seen).toHaveLength(1)
})

describe('the command', () => {
  test('trains on a folder and names other pictures', async () => {
    const out = at('by-command.safetensors')
    const trained = await gradus([
      'train',
      at('shapes'),
      '--epochs',
      '6',
      '--image-size',
      '16',
      '--out',
      out,
      '--report',
      at('report.html'),
    ])
    expect(trained).toMatchObject({ code: 0 })
    expect(trained.stdout).toMatch(/121 pictures of 2 classes[\s\S]*accuracy[\s\S]*gradus predict/)
    expect(existsSync(at('report.html'))).toBe(true)
    const named = await gradus(['predict', out, at('shapes', 'circle', '1.png'), at('shapes', 'square', '2.png')])
    expect(named.stdout).toMatch(/^picture,class,probability,p_circle,p_square\n\S+1\.png,\w+,0?\.?\d+,[\d.e-]+,[\d.e-]+\n\S+2\.png,/)
    const some = await gradus(['predict', out, at('shapes', 'circle'), '--json'])
    expect(some.stdout.trim().split('\n')).toHaveLength(60)
    expect(some).toMatchObject({ code: 1, stderr: expect.stringMatching(/broken\.png: .*cannot be read/) })
    expect(some.stderr).not.toContain('.hidden.png')
    const picture = at('shapes', 'square', '2.png')
    const before = readFileSync(picture)
    for (const given of [picture, at('shapes', 'square')]) {
      const over = await gradus(['predict', out, given, '--out', picture])
      expect(over).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/--out \S+2\.png is one of the pictures, which would be written over/),
      })
      expect(readFileSync(picture)).toEqual(before)
    }
  })

  test('says how good a net is on another folder', async () => {
    const file = at('for-evaluation.safetensors')
    await model.save(file)
    const shown = await gradus(['evaluate', file, at('shapes')])
    expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining('1 of the files and folders is left out; the report says why') })
    expect(shown.stdout).toMatch(/120 pictures of \S+shapes, by[\s\S]*accuracy[\s\S]*Class by class[\s\S]*1 picture is left out/)
    const { stdout } = await gradus(['evaluate', file, at('shapes'), '--json'])
    const found = await model.evaluate(await imagesInFolder(at('shapes')))
    expect(JSON.parse(stdout)).toMatchObject({ count: 120, accuracy: found.accuracy, confusion: found.confusion })
    expect(stdout).not.toContain('pixels')
  })

  test('says how good a net is on pictures of one class, and refuses options of tables', async () => {
    const file = at('for-evaluation.safetensors')
    await model.save(file)
    mkdirSync(at('circles'))
    symlinkSync(at('shapes', 'circle'), at('circles', 'circle'))
    const shown = await gradus(['evaluate', file, at('circles')])
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/60 pictures of [\s\S]*circle +60[\s\S]*square +0 +–/) })
    const picture = at('shapes', 'circle', '1.png')
    for (const [command, what, said] of [
      ['evaluate', at('circles'), '--decimal is not for a folder of pictures'],
      ['predict', at('circles'), '--decimal is not for a folder of pictures'],
      ['predict', picture, '--decimal is not for a picture'],
    ])
      expect(await gradus([command, file, what, '--decimal', ','])).toMatchObject({ code: 1, stderr: expect.stringContaining(said) })
  })

  test('exports the net, and says what other commands want', async () => {
    const file = at('for-export.safetensors')
    await model.save(file)
    const onnx = await gradus(['export', file, '--out', at('net.onnx')])
    expect(onnx).toMatchObject({ code: 0, stdout: expect.stringContaining('[rows, 16, 16, 3], from 0 to 1') })
    expect(readFileSync(at('net.onnx'))).toEqual(Buffer.from(toOnnx(model.net, { inputShape: [16, 16, 3] })))
    const torch = await gradus(['export', file, '--to', 'pytorch', '--out', at('net.pytorch.safetensors')])
    expect(torch.stdout.replace(/\s+/g, ' ')).toContain(
      "[rows, 3, 16, 16], from 0 to 1; it gives logits of the classes 'circle', 'square'.",
    )
    writeFileSync(at('table.csv'), 'a,b\n1,2\n')
    for (const command of ['predict', 'evaluate'])
      expect((await gradus([command, file, at('table.csv')])).stderr).toMatch(
        /holds a model of pictures, not of a table; gradus predict \S+ picture\.png/,
      )
  })

  test('says in one object what it found', async () => {
    const { stdout } = await gradus(['train', at('shapes'), '--epochs', '1', '--image-size', '8', '--out', at('j.safetensors'), '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ classes: ['circle', 'square'], validationCount: 24, size: 8, channels: 3 })
  })

  test.each([
    [['--target', 'x'], /--target is not for a folder of pictures/],
    [['--hidden', '8'], /--hidden is not for a folder/],
    [['--image-size', '3'], /--image-size.*8 to 256/],
  ])('refuses %s', async (options, message) => {
    const { code, stderr } = await gradus(['train', at('shapes'), ...options])
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(message)
  })

  test('refuses options of pictures for anything else', async () => {
    expect((await gradus(['train', 'iris', '--flip'])).stderr).toMatch(/--flip is for a folder of pictures, which iris is not/)
  })
})
