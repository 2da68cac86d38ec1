/** Told in the form that every error of the API has. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super([detail, ...errors.map(({ path, message }) => `${path} ${message}`)].join('; '));
  }

  get body(): object {
    const { status, code, message: detail, errors } = this;
    const type = `urn:service-discovery:problem:${code.toLowerCase().replaceAll('_', '-')}`;
    return { success: false, type, status, code, detail, ...(errors.length > 0 && { errors }) };
  }
}
