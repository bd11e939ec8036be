/** `gradus evaluate model.safetensors photos/`: how good a net is on a folder of pictures, with a folder for each class. */
import { type ImageEvaluation, type ImageModel, imagesInFolder, reportText } from '../../images/index.js'
import { whole } from '../terminal/format.js'
import { columns, paint, print, printLines, printNote } from '../terminal/terminal.js'

/** Prints how good the model is on the pictures of a folder, as a report or as JSON. */
export async function evaluateImages(model: ImageModel, modelFile: string, folder: string, json: boolean): Promise<void> {
  const found = await model.evaluate(await imagesInFolder(folder))
  if (json) return print(JSON.stringify(withoutPixels(found)))
  print(paint('bold', `${whole(found.count)} pictures of ${folder}, by ${modelFile}`))
  tellSkipped(found)
  printLines(reportText(found, { width: Math.min(columns(), 100) }))
}

/** What JSON says of a report: pictures by their names. */
export function withoutPixels<T extends Pick<ImageEvaluation, 'mistakes' | 'surest'>>(report: T): object {
  const named = (pictures: ImageEvaluation['mistakes']) => pictures.map(({ pixels: _, map: __, ...picture }) => picture)
  return { ...report, mistakes: named(report.mistakes), surest: named(report.surest) }
}

/** Notes that pictures, or folders without any, were left out. */
export function tellSkipped({ skipped }: Pick<ImageEvaluation, 'skipped'>): void {
  if (skipped.length > 0)
    printNote(`${whole(skipped.length)} of the files and folders ${skipped.length === 1 ? 'is' : 'are'} left out; the report says why`)
}
