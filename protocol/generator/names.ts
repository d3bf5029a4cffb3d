/** Names of the contract as names of generated types, functions and files. */
export const upper = (text: string): string => text[0]?.toUpperCase() + text.slice(1);
export const lower = (text: string): string => text[0]?.toLowerCase() + text.slice(1);
export const kebab = (text: string): string => text.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
