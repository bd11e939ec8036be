/** The one module that has the library for Parquet inside; loaded when a file of Parquet is read. */
export { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
