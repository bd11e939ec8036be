/** Pictures of one size as bytes, with their classes. */
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { type ImageInput, openImage, squareOf } from './decode.js'

/** Pictures with the class of each. */
export interface LabeledImages {
  /** Pictures, or functions that read them, so that not all have to be in memory. */
  images: readonly (ImageInput | (() => ImageInput | Promise<ImageInput>))[]
  labels: readonly string[]
  /** Names for messages and reports, such as those of files. Default: `image 1`, `image 2` … */
  names?: readonly string[]
  /** What was left out before, for the report. */
  skipped?: readonly SkippedImage[]
}

/** A picture that could not be used, or a folder, whose name ends with a slash. */
export interface SkippedImage {
  name: string
  reason: string
}

/** Pictures of one size. */
export interface ImageSet {
  size: number
  channels: 1 | 3
  count: number
  /** [count, size, size, channels] */
  pixels: Uint8Array
  /** Class of each, by number. */
  labels: Int32Array
  classes: readonly string[]
  names: readonly string[]
  skipped: readonly SkippedImage[]
}

/** Pictures that are decoded at a time: what a decoder's threads are busy with. */
const AT_ONCE = 8
/** The side that is taken from pictures if none is asked for. */
const [LEAST, MOST] = [8, 48]
/** Difference of red, green and blue, of 255, up to which a pixel is gray: JPEG rounds. */
const GRAY = 12

/**
 * @param classes of a model that knows no others
 * @throws RangeError, TypeError for lists that do not fit, or where too many pictures cannot be read
 */
export async function readImageSet(
  who: string,
  given: LabeledImages,
  { size, channels, classes: known, signal }: { size?: number; channels?: 1 | 3; classes?: readonly string[]; signal?: AbortSignal },
): Promise<ImageSet> {
  const { images, labels } = Object(given) as LabeledImages
  if (!Array.isArray(images) || !Array.isArray(labels))
    throw typeError(`${who}: wants { images, labels }, such as imagesInFolder gives, got ${show(given)}`)
  if (images.length !== labels.length)
    throw rangeError(`${who}: wants a label for each picture, got ${images.length} pictures and ${labels.length} labels`)
  if (images.length === 0) throw rangeError(`${who}: wants pictures, got none`)
  if (given.names !== undefined && !Array.isArray(given.names))
    throw typeError(`${who}: names wants an array of texts, one for each picture, got ${show(given.names)}`)
  if (given.names !== undefined && given.names.length !== images.length)
    throw rangeError(`${who}: wants a name for each picture, got ${images.length} pictures and ${given.names.length} names`)
  if (given.skipped !== undefined && !Array.isArray(given.skipped))
    throw typeError(`${who}: skipped wants an array of { name, reason }, got ${show(given.skipped)}`)
  const odd = labels.findIndex((label) => typeof label !== 'string' || label === '')
  if (odd >= 0) throw typeError(`${who}: labels[${odd}] wants a text, got ${show(labels[odd])}`)
  const strange = known === undefined ? -1 : labels.findIndex((label) => !known.includes(label))
  if (known !== undefined && strange >= 0)
    throw rangeError(
      `${who}: ${given.names?.[strange] ?? `labels[${strange}]`} wants one of the ${known.length} known classes, such as ${show(known[0])}, got ${show(labels[strange])}`,
    )
  const unnamed = given.names?.findIndex((name) => typeof name !== 'string') ?? -1
  if (unnamed >= 0) throw typeError(`${who}: names[${unnamed}] wants a text, got ${show(given.names?.[unnamed])}`)
  const names = given.names ?? images.map((_, i) => `image ${i + 1}`)
  const imageAt = async (i: number) => (typeof images[i] === 'function' ? await images[i]() : images[i])

  // sizes first: they are in the first bytes of a file
  const reasons = new Map<number, string>()
  const sides: number[] = []
  const note = (i: number) => (error: unknown) => void reasons.set(i, error instanceof Error ? error.message : String(error))
  if (size === undefined) {
    await inTurn(images.length, signal, async (i) => {
      try {
        const decoder = await openImage(await imageAt(i))
        sides.push(Math.max(decoder.width, decoder.height))
        decoder.close()
      } catch (error) {
        note(i)(error)
      }
    })
    sides.sort((a, b) => a - b)
    size = Math.min(MOST, Math.max(LEAST, sides[sides.length >> 1] ?? LEAST))
  }
  const side = size
  const all = new Uint8Array(images.length * side * side * 3)
  let isColored = false
  await inTurn(images.length, signal, async (i) => {
    if (reasons.has(i)) return
    try {
      const rgba = await squareOf(await imageAt(i), side)
      isColored = putColors(rgba, all, i * side * side * 3) || isColored
    } catch (error) {
      note(i)(error)
    }
  })
  const unread = [...reasons].sort(([a], [b]) => a - b).map(([i, reason]) => ({ name: names[i], reason }))
  const skipped = [...(given.skipped ?? []), ...unread]
  const kept = images.map((_, i) => i).filter((i) => !reasons.has(i))
  if (kept.length === 0 || unread.length > images.length / 2)
    throw rangeError(`${who}: ${unread.length} of ${images.length} pictures cannot be read; ${unread[0]?.name}: ${unread[0]?.reason}`)
  const classes = known ?? [...new Set(kept.map((i) => labels[i]))].sort()
  const numberOf = new Map(classes.map((name, c) => [name, c]))
  const depth = channels ?? (isColored ? 3 : 1)
  // in place: no picture moves behind its colors
  for (const [at, i] of kept.entries())
    putPixels(all.subarray(i * side * side * 3, (i + 1) * side * side * 3), depth, all, at * side * side * depth)
  const end = kept.length * side * side * depth
  const pixels = depth === 3 ? all.subarray(0, end) : all.slice(0, end)
  return {
    ...{ size: side, channels: depth, count: kept.length, pixels, classes, skipped },
    labels: Int32Array.from(kept, (i) => numberOf.get(labels[i]) as number),
    names: kept.map((i) => names[i]),
  }
}

/** Pixels of pictures as a net takes them. @throws Error of a picture that cannot be read, with its number */
export async function readPixels(who: string, images: readonly ImageInput[], size: number, channels: 1 | 3): Promise<Uint8Array> {
  const pixels = new Uint8Array(images.length * size * size * channels)
  const colors = new Uint8Array(size * size * 3)
  for (const [i, image] of images.entries())
    try {
      putColors(await squareOf(image, size), colors, 0)
      putPixels(colors, channels, pixels, i * size * size * channels)
    } catch (cause) {
      throw rangeError(`${who}: picture ${i + 1} cannot be read: ${(cause as Error).message}`, { cause })
    }
  return pixels
}

/** Red, green and blue of each pixel. @returns true if one is not gray */
function putColors(rgba: ArrayLike<number>, to: Uint8Array, at: number): boolean {
  let isColored = false
  for (let from = 0; from < rgba.length; from += 4, at += 3) {
    const [r, g, b] = [rgba[from], rgba[from + 1], rgba[from + 2]]
    to[at] = r
    to[at + 1] = g
    to[at + 2] = b
    if (Math.max(r, g, b) - Math.min(r, g, b) > GRAY) isColored = true
  }
  return isColored
}

/** Colors as they are, or their luma (ITU-R BT.601). */
function putPixels(colors: Uint8Array, channels: 1 | 3, to: Uint8Array, at: number): void {
  if (channels === 3) to.set(colors, at)
  else
    for (let from = 0; from < colors.length; from += 3)
      to[at++] = Math.round(0.299 * colors[from] + 0.587 * colors[from + 1] + 0.114 * colors[from + 2])
}

/** Runs `work` for 0, 1, … below `count`, a few at once. */
async function inTurn(count: number, signal: AbortSignal | undefined, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) {
      signal?.throwIfAborted()
      await work(next++)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker))
}
