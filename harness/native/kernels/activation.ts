/**
 * @file SaxActivation (x, up or absent; kind) → f(x) or f(x) · up, and SaxActivationGrad (dy, x, up or absent; kind) → dx
 * and, with up, dup: for num/ops/activation.ts. All float32, of one shape.
 */
import { type Context, output, override } from '../registry.ts';

/** The numbering of activation.cc. */
export const FUNCTIONS = ['silu', 'quick_gelu', 'gelu', 'gelu_tanh'];
const none = new Float32Array(0);

/** Registers the activation functions. */
export function registerActivation(context: Context): void {
  const { addon } = context;
  override(context, 'SaxActivation', ({ inputs, attrs, backend }) => {
    const { x, up } = inputs;
    const y = output(backend, x!.shape, 'float32');
    addon.params[0] = FUNCTIONS.indexOf(attrs['kind'] as string);
    addon.activate(y.values, backend.valuesOf(x!), up ? backend.valuesOf(up) : none);
    return y.info;
  });
  override(context, 'SaxActivationGrad', ({ inputs, attrs, backend }) => {
    const { dy, x, up } = inputs;
    const dx = output(backend, x!.shape, 'float32');
    const dup = up ? output(backend, x!.shape, 'float32') : undefined;
    addon.params[0] = FUNCTIONS.indexOf(attrs['kind'] as string);
    const read = [backend.valuesOf(dy!), backend.valuesOf(x!), up ? backend.valuesOf(up) : none];
    addon.activateGrad(dx.values, dup?.values ?? none, ...read);
    return dup ? [dx.info, dup.info] : [dx.info];
  });
}
