/**
 * `slabcached dump | load | warm`: copies items between running caches and files, so that a change
 * of daemons need not start cold.
 */
import { dump, load, warm } from './copy.ts';
import { readToolOptions, type Tool, toolHelp } from './options.ts';
import { Progress } from './progress.ts';
import { ToolError } from './tool-error.ts';

const RUN = { dump, load, warm } as const;

/**
 * Runs a tool to its end; sets the exit code: 0 everything was copied, 1 it could not be done,
 * 2 something was left out.
 */
export async function runTool(tool: Tool, args: readonly string[]): Promise<void> {
  const progress = new Progress(process.stderr, tool);
  try {
    const options = readToolOptions(tool, args);
    if (options.help) process.stdout.write(toolHelp(tool));
    else process.exitCode = await RUN[tool](options, progress);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    progress.say(error.message);
    process.exitCode = 1;
  }
}
