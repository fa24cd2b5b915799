/** @file Which sites a forward pass can go on from. */

/** Whether the site is the residual stream before or after a block, which alone decides all that follows. */
export function isResidualStream(site: string): boolean {
  return /\.hook_resid_(pre|post)$/.test(site);
}
