/** @file Which sites a suite means a method for. Imports nothing: the plan, which is pure, asks it too. */

/** Whether a method is meant for a site. */
export const meantFor = ({ sites }: { sites?: string[] }, site: string): boolean => sites?.includes(site) ?? true;
