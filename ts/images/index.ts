/**
 * `gradus/images`: nets that name pictures, from a folder or a list to one file, in one call.
 * @module gradus/images
 */
export type { ReportTextOptions } from '../report/text.js'
export type { Drawable, ImageInput, Pixels } from './decode.js'
export { imageFiles, imagesInFolder, isImageFile } from './folder.js'
export { ImageModel, type ImagePrediction, loadImageModel } from './image-model.js'
export type { LabeledImages, SkippedImage } from './image-set.js'
export { type ImageTensors, type ImageTensorsOptions, imageTensors } from './image-tensors.js'
export type { NetKind } from './nets.js'
export type { Augment, ImageEpoch, TrainImagesOptions } from './options.js'
export type { ImageEvaluation, ImagePicture, ImageReport, TriedNet } from './report.js'
export { reportHtml, reportText } from './show-report.js'
export { trainImages } from './train-images.js'
