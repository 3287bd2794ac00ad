/** Tools of the workspace that some commands use: they are development dependencies, so an installation without those lacks them. */
import { EXIT, PlainFailure } from './exit-code';

/** Throws a PlainFailure where the tool is not installed. */
export async function workspaceTool<Module>(packageName: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!/MODULE_NOT_FOUND$/.test(code ?? '') || !message.includes(packageName)) throw error;
    throw new PlainFailure(`${packageName} is a tool of the workspace and not part of this installation: run this from a clone`, EXIT.usage);
  }
}
