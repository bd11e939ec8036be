/** Pictures of a folder: each folder in it is a class. */
import { plainError, rangeError } from '../common/errors.js'
import { nodeModule } from '../common/node-module.js'
import { visible } from '../common/visible.js'
import type { LabeledImages, SkippedImage } from './image-set.js'

/** Endings of files that are taken for pictures, also of those that decoders may refuse: they are reported. */
export const ENDINGS = /\.(png|jpe?g|webp|gif|avif|tiff?|bmp|svg|hei[cf]|jxl)$/i
/** Classes at most. */
const MAX_CLASSES = 1000

type Fs = typeof import('node:fs/promises')

/**
 * The pictures of a folder of folders, `photos/cat/1.png`, `photos/dog/2.jpg`: names of the files, to be read one by one, with the name of their folder as
 * their class. Hidden files and files with other endings are left out. Folders without pictures, links to nothing and pictures beside the folders are
 * listed in `skipped`, and so in the report. Node, Deno and Bun only.
 *
 * @example
 * const pictures = await imagesInFolder('photos').catch(() => 'there is no such folder here')
 * @throws Error for a folder that is not there; RangeError for one without pictures, without folders, with more than 1,000 classes, or with classes whose
 *   names differ by case alone
 */
export async function imagesInFolder(folder: string): Promise<LabeledImages> {
  const fs = await nodeModule<Fs>('node:fs/promises')
  const path = await nodeModule<typeof import('node:path')>('node:path')
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is none' : cause.code === 'ENOTDIR' ? 'it is a file' : cause.message
    throw plainError(`imagesInFolder: ${visible(folder)} wants a folder with a folder of pictures for each class: ${why}`, { cause })
  })
  const inside = entries.filter(({ name }) => !name.startsWith('.'))
  const skipped: SkippedImage[] = []
  const folders: string[] = []
  for (const entry of inside) {
    const name = path.join(folder, entry.name)
    const found = entry.isSymbolicLink() ? await fs.stat(name).catch(() => undefined) : entry
    if (found?.isDirectory()) folders.push(entry.name)
    else if (found === undefined) skipped.push({ name, reason: 'it is a link to nothing' })
    else if (isImageFile(name)) skipped.push({ name, reason: 'it is in no folder of a class; move it into one' })
  }
  folders.sort()
  const who = `imagesInFolder: ${visible(folder)}`
  if (folders.length === 0)
    throw rangeError(
      `${who} wants a folder for each class, with pictures in it (${visible(folder)}/cat/1.png), got ${inside.length} files and no folder`,
    )
  const files: string[] = []
  const labels: string[] = []
  for (const label of folders) {
    const own = await imageFiles(path.join(folder, label))
    files.push(...own)
    labels.push(...own.map(() => label))
    if (own.length === 0)
      skipped.push({ name: `${path.join(folder, label)}/`, reason: 'the folder holds no picture; put some into it, or take it away' })
  }
  const classes = new Set(labels)
  if (classes.size === 0)
    throw rangeError(
      `${who} wants pictures (png, jpg, webp, gif, …) in the folders of their classes, got none in ${folders.length === 1 ? 'one folder' : `${folders.length} folders`}`,
    )
  if (classes.size > MAX_CLASSES)
    throw rangeError(`${who} wants at most ${MAX_CLASSES} classes, got ${classes.size} folders; each class is a folder`)
  const lower = new Map<string, string>()
  for (const name of classes) {
    // é is one character, or an e and an accent
    const plain = name.normalize().toLowerCase()
    const other = lower.get(plain)
    if (other !== undefined)
      throw rangeError(
        `${who} has the classes ${visible(other)} and ${visible(name)}, which differ by ${other.normalize() === name.normalize() ? 'the code of an accent' : 'case'} alone; put them into one folder`,
      )
    lower.set(plain, name)
  }
  const read = (file: string) =>
    fs.readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOENT' ? plainError('it is a link to nothing, or was moved', { cause }) : cause
    })
  return { images: files.map((file) => () => read(file)), labels, names: files, skipped }
}

/**
 * The names of the pictures in a folder and in folders inside of it, in order: files that end as pictures do, without hidden ones. Node, Deno and Bun
 * only.
 *
 * @example
 * const files = await imageFiles('photos').catch(() => 'there is no such folder here')
 * @throws Error for a folder that is not there
 */
export async function imageFiles(folder: string): Promise<string[]> {
  const fs = await nodeModule<Fs>('node:fs/promises')
  const path = await nodeModule<typeof import('node:path')>('node:path')
  const names: string[] = []
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    const name = path.relative(folder, path.join(entry.parentPath, entry.name))
    if (!ENDINGS.test(name) || name.split(path.sep).some((part) => part.startsWith('.'))) continue
    // a link to nothing stays, and is reported as a picture that cannot be read
    const found = entry.isSymbolicLink() ? await fs.stat(path.join(folder, name)).catch(() => undefined) : entry
    if (found === undefined || found.isFile()) names.push(name)
  }
  return names.sort().map((name) => path.join(folder, name))
}

/**
 * True for a name that ends as those of pictures do.
 *
 * @example isImageFile('photos/cat.JPG') // true
 */
export function isImageFile(name: string): boolean {
  return ENDINGS.test(name)
}
