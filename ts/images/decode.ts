/** Pictures from files: decoded, turned as EXIF says, brought to one size. By sharp in Node, Deno and Bun, by the browser itself in a page. */
import { plainError, typeError } from '../common/errors.js'
import { nodeModule } from '../common/node-module.js'
import { show } from '../common/show.js'

/**
 * A picture: the bytes of a file (PNG, JPEG, WebP, GIF, …), a Blob or File, or pixels as `ImageData` has them: four bytes each, red, green, blue, opacity.
 * In a page also what it can draw: an `<img>`, `<canvas>` or `<video>` element, an `ImageBitmap` or `OffscreenCanvas`.
 */
export type ImageInput = Uint8Array | ArrayBuffer | Blob | Pixels | Drawable

/** What a page can draw, for a compiler that may not know the DOM. */
export type Drawable = { readonly width: number; readonly height: number } & (
  | { readonly tagName: string }
  | { close(): void }
  | { getContext: unknown }
)

/** Decoded pixels, four bytes each. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Uint8ClampedArray
}

/** Pixels that a picture may have: 64 million take 256 MB while they are decoded. */
const MAX_PIXELS = 64e6
/** A side of fewer pixels shows nothing. */
const MIN_SIDE = 2

/** The used part of sharp. */
interface Sharp {
  metadata(): Promise<{ width: number; height: number; autoOrient: { width: number; height: number } }>
  autoOrient(): Sharp
  resize(width: number, height: number, options: { fit: 'cover' | 'fill'; kernel?: string }): Sharp
  flatten(options: { background: string }): Sharp
  toColourspace(space: 'srgb'): Sharp
  ensureAlpha(): Sharp
  raw(): Sharp
  toBuffer(): Promise<Uint8Array>
}
type MakeSharp = (
  input: Uint8Array,
  options: { limitInputPixels: number | false; failOn: 'truncated'; raw?: { width: number; height: number; channels: 4 } },
) => Sharp

/** A picture that can be brought to any size. */
export interface Decoder {
  readonly width: number
  readonly height: number
  /** Its middle, as large as fits, at `size` × `size` pixels on white, four bytes each. */
  square(size: number): Promise<Uint8Array | Uint8ClampedArray>
  /** Frees the decoded picture, which a page keeps outside of the heap of JavaScript. */
  close(): void
}

/** Reads the size of a picture. @throws Error that says what is wrong with the picture */
export async function openImage(image: ImageInput): Promise<Decoder> {
  const decoder = await (isPage() ? inPage(image) : inNode(image))
  const { width, height } = decoder
  const wrong =
    Math.min(width, height) < MIN_SIDE
      ? 'too few to show anything'
      : width * height > MAX_PIXELS && `more than the limit of ${MAX_PIXELS / 1e6} million; make it smaller`
  if (wrong === false) return decoder
  decoder.close()
  throw plainError(`it has ${width} × ${height} pixels, ${wrong}`)
}

/** The middle of a picture at `size` × `size` pixels. @throws as {@link openImage} */
export async function squareOf(image: ImageInput, size: number): Promise<Uint8Array | Uint8ClampedArray> {
  const decoder = await openImage(image)
  try {
    return await decoder.square(size)
  } finally {
    decoder.close()
  }
}

function isPage(): boolean {
  return typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function'
}

function isPixels(image: unknown): image is Pixels {
  const { width, height, data } = Object(image) as Pixels
  return ArrayBuffer.isView(data) && width > 0 && data.length === width * height * 4
}

const DRAWABLE = ['HTMLImageElement', 'HTMLCanvasElement', 'HTMLVideoElement', 'ImageBitmap', 'OffscreenCanvas']

/** An image of another window of the page, such as a frame, has classes of its own: names tell. */
function isDrawable(image: unknown): image is ImageBitmap {
  return DRAWABLE.includes(Object.prototype.toString.call(image).slice(8, -1))
}

async function bytesOf(image: ImageInput): Promise<Uint8Array> {
  if (image instanceof Uint8Array) return image
  if (image instanceof ArrayBuffer) return new Uint8Array(image)
  if (image instanceof Blob) return new Uint8Array(await image.arrayBuffer())
  throw typeError(`a picture wants the bytes of a file, a Blob, or { width, height, data } with four bytes a pixel, got ${show(image)}`)
}

async function inNode(image: ImageInput): Promise<Decoder> {
  const sharp = await loadSharp()
  const raw = isPixels(image) ? { width: image.width, height: image.height, channels: 4 as const } : undefined
  const bytes = raw === undefined ? await bytesOf(image) : new Uint8Array((image as Pixels).data)
  if (bytes.length === 0) throw plainError('the file is empty')
  const open = (limitInputPixels: number | false) => sharp(bytes, { limitInputPixels, failOn: 'truncated', ...(raw && { raw }) })
  // without a limit: sizes are in the first bytes, and openImage says which one is too large
  const { autoOrient: size } = await open(false).metadata().catch(refuse)
  const square = (side: number) => {
    const made = open(MAX_PIXELS).autoOrient().resize(side, side, { fit: 'cover' }).toColourspace('srgb')
    return made.flatten({ background: '#fff' }).ensureAlpha().raw().toBuffer().catch(refuse)
  }
  return { ...size, square, close: () => {} }
}

/** Says in plain words why sharp could not decode a picture. @throws Error */
function refuse(cause: Error): never {
  const [said] = cause.message.split('\n')
  const why = /unsupported image format/.test(said)
    ? `it is no ${KINDS} picture; save it as PNG or JPEG, or take it away`
    : `it is damaged or cut off${/unknown error/i.test(said) ? '' : ` (${said})`}; copy it again, or take it away`
  throw plainError(why, { cause })
}
const KINDS = 'PNG, JPEG, WebP, GIF, AVIF, TIFF or SVG'

let loaded: Promise<MakeSharp> | undefined

function loadSharp(): Promise<MakeSharp> {
  loaded ??= nodeModule<{ default: MakeSharp }>('sharp').then(
    (module) => module.default,
    (cause) => {
      loaded = undefined
      throw plainError('pictures are decoded by sharp, which is not installed: npm install sharp', { cause })
    },
  )
  return loaded
}

async function inPage(image: ImageInput): Promise<Decoder> {
  const source = isPixels(image)
    ? new ImageData(new Uint8ClampedArray(image.data), image.width, image.height)
    : isDrawable(image)
      ? image
      : new Blob([(await bytesOf(image)) as Uint8Array<ArrayBuffer>])
  const bitmap = await createImageBitmap(source).catch((cause: Error) => {
    throw plainError(`it is damaged, or of a kind that the browser does not know (${cause.message}); save it as PNG or JPEG`, { cause })
  })
  const { width, height } = bitmap
  const square = async (side: number) => {
    const context = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D
    const cut = Math.min(width, height)
    context.fillStyle = '#fff'
    context.fillRect(0, 0, side, side)
    context.imageSmoothingQuality = 'high'
    context.drawImage(bitmap, (width - cut) / 2, (height - cut) / 2, cut, cut, 0, 0, side, side)
    return context.getImageData(0, 0, side, side).data
  }
  return { width, height, square, close: () => bitmap.close() }
}
