export interface Snippet {
  readonly name: string;
  readonly code: string;
}
export function documents(): string[];
export function snippetsOf(markdown: string): Snippet[];
