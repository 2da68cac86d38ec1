import { exitCodeFor } from './errors.js';
import { createProgram } from './program.js';

// Who reads no further, `head` say, has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = exitCodeFor(error);
}
