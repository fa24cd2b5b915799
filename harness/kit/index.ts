/** @file The kit of a plug-in's author (`saxbench/kit`): operations, statistics, readers, and sparse codes pooled by item. */

export { PREVALENCE_STEPS } from '../domain/concepts-table.ts';
export { type ConceptCounts, countLabels, prevalenceOf, tooSmall } from '../domain/counts.ts';
export { type Domain, LABEL } from '../domain/domain.ts';
export { readDomain } from '../domain/read.ts';
export { type DomainPart, type DomainSplit, splitDomain } from '../domain/splits.ts';
export { shown, suggest, unknownName } from '../errors.ts';

export { addedToken } from '../io/added-token.ts';
export { atomicWrite } from '../io/atomic.ts';
export { BYTE_ALPHABET } from '../io/byte-symbols.ts';
export { CLIP_SPECIALS, CLIP_WORD_END, CLIP_WORDS, clipTokenizer } from '../io/clip-tokenizer.ts';
export { readCsvRecords, readCsvRows } from '../io/csv.ts';
export { githubData } from '../io/github-data.ts';
export { sha256, sha256File, sha256Json } from '../io/hash.ts';
export { hubData } from '../io/hub-data.ts';
export { isOnHub } from '../io/hub-reference.ts';
export { decodeImage } from '../io/image.ts';
export {
  fittedSize,
  type ImagePreprocessing,
  loadImagePreprocessing,
  parseImagePreprocessing,
  preprocessImages,
} from '../io/image-preprocessing.ts';
export type { ProcessorKind } from '../io/image-processors.ts';
export { canonicalJson, MAX_TEXT_BYTES, readJson, readText } from '../io/json.ts';
export { readJsonl } from '../io/jsonl.ts';
export { readModelConfig } from '../io/model-config.ts';
export { readParquet } from '../io/parquet.ts';
export {
  isOnGithub,
  LOCAL_PATH,
  NotDownloaded,
  type RemoteData,
  type RemoteDataOptions,
} from '../io/remote-data.ts';
export { writeSafetensors } from '../io/safetensors-write.ts';
export { readTar } from '../io/tar.ts';
export { thumbnail } from '../io/thumbnail.ts';
export { loadTokenizer } from '../io/tokenizer.ts';
export { openWeights } from '../io/weights.ts';
export { type ClassCounts, countClasses } from '../num/classes.ts';
export { type Csc, type Csr, csrConcat, csrFromDense, csrToCsc } from '../num/csr.ts';
export { denseFeatures, type Features, sparseFeatures } from '../num/features.ts';
export { thresholdToRate } from '../num/firing-rate.ts';
export { joined } from '../num/join.ts';
export { leadingEigenvector } from '../num/leading-eigenvector.ts';
export { covariance, symmetricEigen } from '../num/linalg.ts';
export { type ClassMoments, decisionScores, fitLogistic, type LogisticModel } from '../num/logistic.ts';
export { activeDimensions, version as activeDimensionsVersion } from '../num/metrics/active-dimensions.ts';
export { binaryMatchingPursuit, version as binaryMatchingVersion } from '../num/metrics/binary-matching-pursuit.ts';
export { maxCosine, version as decoderVersion } from '../num/metrics/decoder.ts';
export { densityHistogram } from '../num/metrics/density.ts';
export {
  ABSORPTION_ROWS,
  absorption,
  detection,
  type Firing,
  firingOf,
  latentDetection,
  rowsOf,
  SPLIT,
  splitFeatures,
  thresholdDetection,
  version as featureFiringVersion,
} from '../num/metrics/feature-firing.ts';
export {
  absoluteCosines,
  type FeatureMatch,
  MIXED,
  matchFeatures,
  mixtures,
  uniqueness,
  version as featureMatchVersion,
} from '../num/metrics/feature-match.ts';
export {
  aurocInfluence,
  averagePrecisionInfluence,
  f1Influence,
  type Influence,
  shareBelowInfluence,
} from '../num/metrics/influence.ts';
export { latentAuroc } from '../num/metrics/latent-auroc.ts';
export { type MsScores, msScores, msScoresDense, version as msVersion } from '../num/metrics/monosemanticity.ts';
export { msBlockSamples } from '../num/metrics/ms-jackknife.ts';
export { scoresWithSupport, summariseMs, supportedScores } from '../num/metrics/ms-summary.ts';
export { averagePrecision, version as precisionRecallVersion } from '../num/metrics/precision-recall.ts';
export {
  type PairLosses,
  preferenceOdds,
  utilityOdds,
  version as preferenceOddsVersion,
} from '../num/metrics/preference-odds.ts';
export {
  type ClusterRatio,
  createReconstruction,
  type Reconstruction,
  version as reconstructionVersion,
} from '../num/metrics/reconstruction.ts';
export type { TokenCodes } from '../num/metrics/reconstruction-sums.ts';
export { auroc, averageRoc, type RocCurve, rocCurve, version as rocVersion } from '../num/metrics/roc.ts';
export {
  bestCut,
  bestF1Threshold,
  f1AtPrior,
  fBeta,
  type RankedValues,
  shareAbove,
  version as thresholdVersion,
} from '../num/metrics/threshold.ts';
export { absTopkEncode } from '../num/ops/abs-topk-encode.ts';
export { type Activation, activation } from '../num/ops/activation.ts';
export { type AttentionOptions, type AttentionShape, attention } from '../num/ops/attention.ts';
export { batchTopk, batchTopkEncode, batchTopkMask } from '../num/ops/batch-topk.ts';
export { type BlockShape, canFuse, packBlock, servesBlock, transformerBlock } from '../num/ops/block.ts';
export { customOp } from '../num/ops/custom-op.ts';
export { denseEncode, type JumpEncoded, jumpEncode } from '../num/ops/dense-encode.ts';
export { drawIndex, drawRows } from '../num/ops/draw.ts';
export { geometricMedian } from '../num/ops/geometric-median.ts';
export { type GroupedRows, groupRows } from '../num/ops/group-rows.ts';
export { createKeyValueCache, type KeyValueCache } from '../num/ops/key-value-cache.ts';
export { type Heads, type KronEncoder, kronTopkEncode } from '../num/ops/kron-encode.ts';
export { rowLogSumExp, targetLosses } from '../num/ops/log-sum-exp.ts';
export { matchingPursuit } from '../num/ops/matching-pursuit.ts';
export { nestedDecode, nestedErrors } from '../num/ops/nested-decode.ts';
export { layerNorm, rmsNorm } from '../num/ops/norms.ts';
export {
  canPackLinear,
  heldAs,
  holdsAll,
  type PackedLinear,
  type PackedType,
  packedLinear,
  packedRows,
  packLinear,
  type StoredType,
  unpackLinear,
} from '../num/ops/packed-linear.ts';
export { positiveEncode } from '../num/ops/positive-encode.ts';
export { type RotaryTables, rotary } from '../num/ops/rotary.ts';
export { type SparseDecodeOptions, sparseDecode } from '../num/ops/sparse-decode.ts';
export { squaredError } from '../num/ops/squared-error.ts';
export { stopGradient, untracked } from '../num/ops/stop-gradient.ts';
export { aboveThreshold, jumprelu, thresholdL0 } from '../num/ops/threshold.ts';
export { type LinearEncoder, topkEncode, topkEncodeGrouped } from '../num/ops/topk-encode.ts';
export { type TopkCodes, topkSparse } from '../num/ops/topk-sparse.ts';
export { createAdam } from '../num/optimiser.ts';
export { peakBytes } from '../num/peak-bytes.ts';
export { peek } from '../num/peek.ts';
export { createRng } from '../num/rng.ts';
export { agreementOf, pairedSums, type RatedPair, rankCorrelation } from '../num/stats/agreement.ts';
export {
  byCluster,
  crossedInterval,
  type Estimate,
  meanInterval,
  ratioInterval,
  widenInterval,
} from '../num/stats/interval.ts';
export { medianInterval } from '../num/stats/median.ts';
export { normalQuantile } from '../num/stats/normal.ts';
export { holm } from '../num/stats/paired.ts';
export { quantileOfMany, quantiles } from '../num/stats/quantiles.ts';
export { ratioSamples } from '../num/stats/samples.ts';
export { byGroup, type ItemInfluences, sharedVariance } from '../num/stats/shared-items.ts';
export { studentCdf, studentQuantile } from '../num/stats/student-t.ts';
export { won } from '../num/stats/win-rate.ts';
export { rowNorms, unitNormRows } from '../num/unit-rows.ts';
export { packageRoot } from '../paths.ts';
export { type BagOfWords, bagOfWordsScore, countWords, fitBagOfWords } from './bag-of-words.ts';
export { requireBothClasses } from './both-classes.ts';
export { bestLatents, type Candidates, createCandidates, type LabelledItems } from './candidates.ts';
export { allUnavailable, emptyCell, measuredCell, plainCell, reconstructionCells } from './cells.ts';
export { codesCsr, disposeCodes } from './codes.ts';
export { directionLogits, equalTexts } from './direction-logits.ts';
export { embedItems, readsOf } from './embed-items.ts';
export { groupTexts } from './group-texts.ts';
export {
  ENCODE_ROWS,
  firstItems,
  type KeptBatch,
  type KeptSource,
  rowsAsSet,
  SCAN_ROWS,
  scanKept,
} from './kept-rows.ts';
export { type LabelMatch, matchLabels } from './label-match.ts';
export { rowValues, type TextPieces, textPieces } from './latent-rows.ts';
export { poolLatents } from './latents.ts';
export { divergences, logProbs } from './log-probs.ts';
export { type MeanOver, meanDifferences } from './mean-differences.ts';
export { measureReconstruction, notFinite, throughMethod } from './measure-reconstruction.ts';
export { droppedMark, type PrincipalComponents, principalComponents } from './principal-components.ts';
export { reconstruct } from './reconstruct.ts';
export { isResidualStream, restOfImage, restOfText } from './rest-of-pass.ts';
export { LATENT_EXAMPLES, type LatentSource, showLatents, type WantedLatent } from './shown-latents.ts';
