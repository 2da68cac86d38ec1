/** Variables that older systems need and this one does not: worth one warning. */
export const NOT_USED: Readonly<Record<string, string>> = {
  DATABASE_URL: 'is not used yet',
};
