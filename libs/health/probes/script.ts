import { z } from 'zod';
import type { HealthProbe, HealthStatus, ProbeContext, ProbeModule } from '#core';
import { orAborted } from '../abort.js';
import { clipped } from '../text.js';
import { refusalOf, resolved } from './endpoint.js';
import { failure } from './failure.js';
import { runProgram, type Ended } from './program.js';

const options = z.object({
  script: z.string().min(1).max(100).describe("name of a script in the operator's list"),
});

export const script: ProbeModule<typeof options> = {
  type: 'script',
  summary: "Runs a script of the operator's list: exit code 0 passes, 1 is a warning, any other a failure.",
  costly: true,
  options,
  refusal: ({ address, options: given }, { guard, scripts = {} }) => {
    const { script: name } = options.parse(given);
    if (Object.hasOwn(scripts, name)) return refusalOf(guard, address);
    const known = Object.keys(scripts).join(', ') || 'empty';
    return `there is no script "${name}" in the operator's list, which is ${known}`;
  },
  create: scriptProbe,
};

/**
 * The script learns of its target by `TARGET_ADDRESS` (an IP address that the guard has checked),
 * `TARGET_PORT` and `TARGET_PROTOCOL`; of this server's environment it has `PATH` alone.
 */
function scriptProbe({ guard, scripts = {} }: ProbeContext): HealthProbe {
  return {
    async probe({ address, port, protocol, options: given }, signal) {
      const { script: name } = options.parse(given);
      // Its list may have changed since the instance registered, here or through another replica.
      const command = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
      if (!command) throw new Error(`there is no script "${name}" in the operator's list`);
      const what = `script ${name}`;
      let checked: string;
      try {
        checked = await orAborted(resolved(guard, address), signal);
      } catch (error) {
        return failure(what, error, signal);
      }
      const env = { TARGET_ADDRESS: checked, TARGET_PORT: String(port), TARGET_PROTOCOL: protocol };
      const ended = await runProgram(command, env, signal);
      if (ended === 'aborted') return failure(what, signal.reason, signal);
      return { status: statusOf(ended), output: clipped(`${what}: ${endOf(ended)}\n${ended.output}`.trimEnd()) };
    },
  };
}

/** As Consul has it. */
function statusOf({ code }: Ended): HealthStatus {
  if (code === 0) return 'passing';
  return code === 1 ? 'warning' : 'critical';
}

function endOf({ code, signal }: Ended): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
