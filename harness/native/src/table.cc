/** @file The kernels of one instruction set by name, as the addon exports them. */
#include "isa.h"

SAX_BEGIN

void matMul(Call&);
void bfloatMatMul(Call&);
void bfloatEncodeGrad(Call&);
void binary(Call&);
void unary(Call&);
void powScalar(Call&);
void cast(Call&);
void reduction(Call&);
void cumulativeSum(Call&);
void copy(Call&);
void fill(Call&);
void select(Call&);
void gather(Call&);
void segmentSum(Call&);
void segmentSumAlong(Call&);
void tuples(Call&);
void oneHot(Call&);
void softmax(Call&);
void softmaxGrad(Call&);
void logSumExp(Call&);
void drawRows(Call&);
void norm(Call&);
void normGrad(Call&);
void attention(Call&);
void attentionGrad(Call&);
void cacheWrite(Call&);
void rotary(Call&);
void activate(Call&);
void activateGrad(Call&);
void block(Call&);
void packLinear(Call&);
void packWeight(Call&);
void unpackWeight(Call&);
void packedRows(Call&);
void packPairs(Call&);
void unpackPairs(Call&);
void pairedRows(Call&);
void pairedLinear(Call&);
void linear(Call&);
void topK(Call&);
void kronEncode(Call&);
void encodeTopK(Call&);
void encodeAbove(Call&);
void encodeBatchTopK(Call&);
void screening(Call&);
void adamStep(Call&);
void adamSumsStep(Call&);
void gradSquares(Call&);
void sparseDecode(Call&);
void sparseDots(Call&);
void sparseOuter(Call&);
void sparseDecodeGrad(Call&);
void poolRows(Call&);
void sumLengths(Call&);
void matrixTimes(Call&);
void transposeTimes(Call&);
void curvatureTimes(Call&);
void outerSums(Call&);
void cholesky(Call&);
void choleskySolve(Call&);
void compareRows(Call&);
void countCodes(Call&);
void encodeGrad(Call&);
void sparseOuterColumns(Call&);
void squaredErrors(Call&);
void squaredErrorGrad(Call&);
void firing(Call&);
void jump(Call&);
void jumpGrad(Call&);
void band(Call&);
void thresholdCounts(Call&);

extern const Entry table[];
const Entry table[] = {
    {"matMul", matMul, 4},
    {"bfloatMatMul", bfloatMatMul, 4},
    {"bfloatEncodeGrad", bfloatEncodeGrad, 7},
    {"binary", binary, 3},
    {"unary", unary, 2},
    {"powScalar", powScalar, 2},
    {"cast", cast, 2},
    {"reduction", reduction, 2},
    {"cumulativeSum", cumulativeSum, 2},
    {"copy", copy, 2},
    {"fill", fill, 1},
    {"select", select, 4},
    {"gather", gather, 3},
    {"segmentSum", segmentSum, 3},
    {"segmentSumAlong", segmentSumAlong, 3},
    {"tuples", tuples, 3},
    {"oneHot", oneHot, 2},
    {"softmax", softmax, 2},
    {"softmaxGrad", softmaxGrad, 3},
    {"logSumExp", logSumExp, 2},
    {"drawRows", drawRows, 3},
    {"norm", norm, 6},
    {"normGrad", normGrad, 7},
    {"attention", attention, 6},
    {"attentionGrad", attentionGrad, 10},
    {"cacheWrite", cacheWrite, 2},
    {"rotary", rotary, 4},
    {"activate", activate, 3},
    {"activateGrad", activateGrad, 5},
    {"block", block, 8},
    {"packLinear", packLinear, 2},
    {"packWeight", packWeight, 2},
    {"unpackWeight", unpackWeight, 2},
    {"packedRows", packedRows, 3},
    {"linear", linear, 4},
    {"packPairs", packPairs, 2},
    {"unpackPairs", unpackPairs, 2},
    {"pairedRows", pairedRows, 3},
    {"pairedLinear", pairedLinear, 4},
    {"topK", topK, 3},
    {"kronEncode", kronEncode, 7},
    {"encodeTopK", encodeTopK, 5},
    {"encodeTopKGrouped", encodeTopK, 6},
    {"encodeAbove", encodeAbove, 6},
    {"encodeBatchTopK", encodeBatchTopK, 6},
    {"screening", screening, 1},
    {"adamStep", adamStep, 8},
    {"adamSumsStep", adamSumsStep, 10},
    {"gradSquares", gradSquares, 3},
    {"sparseDecode", sparseDecode, 4},
    {"sparseDots", sparseDots, 5},
    {"sparseOuter", sparseOuter, 4},
    {"sparseDecodeGrad", sparseDecodeGrad, 6},
    {"poolRows", poolRows, 5},
    {"sumLengths", sumLengths, 7},
    {"matrixTimes", matrixTimes, 3},
    {"transposeTimes", transposeTimes, 3},
    {"curvatureTimes", curvatureTimes, 4},
    {"outerSums", outerSums, 3},
    {"cholesky", cholesky, 3},
    {"choleskySolve", choleskySolve, 2},
    {"compareRows", compareRows, 4},
    {"countCodes", countCodes, 3},
    {"encodeGrad", encodeGrad, 7},
    {"sparseOuterColumns", sparseOuterColumns, 4},
    {"squaredErrors", squaredErrors, 3},
    {"squaredErrorGrad", squaredErrorGrad, 4},
    {"firing", firing, 3},
    {"jump", jump, 3},
    {"jumpGrad", jumpGrad, 5},
    {"band", band, 3},
    {"thresholdCounts", thresholdCounts, 4},
    {nullptr, nullptr, 0},
};

SAX_END
