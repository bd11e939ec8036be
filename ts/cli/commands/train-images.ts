/** `gradus train photos/`: a net that names pictures, from a folder with a folder for each class. */
import path from 'node:path'
import { Option } from 'commander'
import { type ImageModel, imagesInFolder, reportHtml, reportText, trainImages } from '../../images/index.js'
import { AUGMENT, TRAIN_IMAGES } from '../../images/options.js'
import { interruptible, NO_MODEL } from '../interrupt.js'
import { flag } from '../options/values.js'
import { checkOut, checkReport, leavingNoRest, writeFileWhole } from '../out-file.js'
import { LiveBar } from '../terminal/bar.js'
import { percent, whole } from '../terminal/format.js'
import { columns, isLive, paint, print, printLines, printText } from '../terminal/terminal.js'
import { tellSkipped, withoutPixels } from './evaluate-images.js'

/** Options of `gradus train` for a folder of pictures. */
export interface ImageTrainOptions {
  imageSize?: number
  flip?: boolean
  mixup?: number
  epochs?: number
  time?: number
  seed: number
  out?: string
  report?: string
  quiet?: boolean
  json?: boolean
}

/** Options for folders of pictures only. */
export function imageTrainOptions(): Option[] {
  return [
    flag('--image-size <n>', 'height and width that pictures are brought to (default: those of the median picture, at most 48)', {
      is: TRAIN_IMAGES.size.is,
    }),
    new Option('--flip', 'learn from mirror images too: of animals and things, not of letters'),
    flag('--mixup <alpha>', 'learn from blends of two pictures, 0.2 usually (default: none)', { is: AUGMENT.mixup.is }),
  ]
}

/** Runs the command on a folder. */
export async function trainOnImages(folder: string, options: ImageTrainOptions): Promise<void> {
  const {
    imageSize: size,
    flip = false,
    mixup = AUGMENT.mixup.default,
    epochs,
    time,
    seed,
    out = `${path.basename(path.resolve(folder))}.safetensors`,
    report: page,
  } = options
  checkOut('--out', out, {})
  checkReport(page, { 'the model': out })
  const silent = options.quiet || options.json
  const images = await imagesInFolder(folder)
  const [pictures, classes] = [images.images.length, new Set(images.labels).size]
  if (!silent)
    print(
      `${whole(pictures)} ${pictures === 1 ? 'picture' : 'pictures'} of ${whole(classes)} ${classes === 1 ? 'class' : 'classes'} in ${paint('bold', folder)}`,
    )
  const live = silent || !isLive() ? null : new LiveBar(1)
  const model = await interruptible(
    (signal) =>
      trainImages(images, {
        ...{ size, epochs, time, seed, signal, augment: { flip, mixup } },
        onEpoch: ({ net, epoch, epochs: all, loss, accuracy }) =>
          live?.update(epoch / all, `${net} net, epoch ${epoch}/${all}`, [`accuracy ${percent(accuracy, 1)}`, `loss ${loss.toFixed(3)}`]),
      }).finally(() => live?.stop()),
    NO_MODEL,
  )
  await leavingNoRest(out, () => model.save(out))
  if (page !== undefined) await writeFileWhole(page, reportHtml(model))
  tell(model, out, page, options)
}

function tell(model: ImageModel, out: string, page: string | undefined, { json = false, quiet = false }: ImageTrainOptions): void {
  const { report } = model
  if (json) return print(JSON.stringify({ ...withoutPixels(report), size: model.size, channels: model.channels, model: out }))
  if (quiet) return print(`accuracy ${percent(report.accuracy)}, model ${out}`)
  tellSkipped(report)
  printLines(reportText(model, { width: Math.min(columns(), 100) }))
  print()
  printText(
    `${paint('green', '✓')} The model is in ${paint('bold', out)}${page === undefined ? '' : `, the report in ${paint('bold', page)}`}. It names other pictures:`,
  )
  print(paint('dim', `  gradus predict ${out} picture.png`))
}
