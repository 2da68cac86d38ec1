/** Whether this server wants traffic: not before it is up, and no more once it is told to stop. */
export class Readiness {
  draining = false;
}
