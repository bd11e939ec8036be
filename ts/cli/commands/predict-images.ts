/** `gradus predict model.safetensors new/*.png`: the class of each picture. */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type ImageModel, imageFiles, isImageFile, loadImageModel } from '../../images/index.js'
import { checkOut, writeFileWhole } from '../out-file.js'
import { lineWriter } from '../table/csv-line.js'
import { whole } from '../terminal/format.js'
import { paint, print, printLines, printNote } from '../terminal/terminal.js'

/** Digits of a probability. */
const DIGITS = 6

/** The model of pictures in a file, if `file` is a picture or a folder; undefined for any other model, whose commands say what is wrong. */
export async function imageModelFor(modelFile: string, file: string): Promise<ImageModel | undefined> {
  if (!isImageFile(file) && !statSync(file, { throwIfNoEntry: false })?.isDirectory()) return undefined
  return loadImageModel(modelFile).catch(() => undefined)
}

/** Prints the class of each picture, as CSV or as a JSON object a line. Pictures that cannot be read are named, and the exit code is 1. */
export async function predictImages(
  model: ImageModel,
  modelFile: string,
  given: readonly string[],
  { out, json = false }: { out?: string; json?: boolean },
): Promise<void> {
  if (out !== undefined) checkOut('--out', out, { 'the model itself': modelFile })
  const files = (await Promise.all(given.map(picturesOf))).flat()
  if (out !== undefined) for (const file of files) checkOut('--out', out, { 'one of the pictures': file })
  if (files.length === 0) throw new Error(`there is no picture in ${given.join(', ')}`)
  const lines = json ? [] : [lineWriter()(['picture', 'class', 'probability', ...model.classes.map((name) => `p_${name}`)])]
  let failed = 0
  for (const file of files) {
    const line = await lineOf(model, file, json).catch((error: Error) => {
      failed++
      printNote(`${file}: ${error.message.replace(/^ImageModel: picture 1 /, 'it ')}`)
    })
    if (line !== undefined) lines.push(line)
  }
  if (out === undefined) printLines(lines.join('\n'))
  else {
    await writeFileWhole(out, `${lines.join('\n')}\n`)
    print(`${paint('green', '✓')} The classes of ${whole(files.length - failed)} pictures are in ${paint('bold', out)}`)
  }
  if (failed > 0) process.exitCode = 1
}

/** A file, or the pictures in a folder. */
async function picturesOf(file: string): Promise<string[]> {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`there is no file ${file}`)
  return found.isDirectory() ? imageFiles(file) : [file]
}

async function lineOf(model: ImageModel, file: string, json: boolean): Promise<string> {
  const [answer] = await model.predict([await readFile(file)])
  if (json) return JSON.stringify({ picture: file, ...answer })
  const short = (x: number) => Number(x.toPrecision(DIGITS))
  return lineWriter()([file, answer.class, short(answer.probability), ...model.classes.map((name) => short(answer.probabilities[name]))])
}
