/** @file Gradients of TensorFlow.js operations, which tfjs-core ships in a form that Node cannot import. */
import { tf } from '../tf.ts';
import { binaryGradients } from './binary.ts';
import { gatherGradients } from './gather.ts';
import { productGradients } from './product.ts';
import { reduceGradients } from './reduce.ts';
import { shapeGradients } from './shape.ts';
import { unaryGradients } from './unary.ts';

/**
 * Registers the gradients for all backends. tfjs-core leaves its gradients unregistered, and its
 * `register_all_gradients` cannot be imported in Node (ES syntax with extensionless imports); the umbrella package
 * that bundles them brings WebGL, layers and converters along. These also cover what tfjs lacks: TopK, comparisons on
 * the path, broadcast batch axes in matMul, tile of any rank. Operations on images other than conv2d have none.
 */
export function registerGradients(): void {
  const all = [unaryGradients, binaryGradients, reduceGradients, shapeGradients, productGradients, gatherGradients];
  for (const config of all.flat()) tf.registerGradient(config);
}
