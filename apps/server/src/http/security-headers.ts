/**
 * Of every answer: it is what its type says, whatever a browser makes of its content. No answer lets a page of
 * another origin read it, as none has a header of CORS.
 */
export const SECURITY_HEADERS = { 'X-Content-Type-Options': 'nosniff' } as const;
