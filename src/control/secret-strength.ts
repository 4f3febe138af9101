// Judges the secrets that sign session tokens and encrypt keys before the server starts with them. Whoever guesses one
// is everybody, or has every key.

const MIN_BYTES = 32;

/** Parts of values that documentation, examples and hurried operators use. */
const KNOWN_WORDS = [
  'changeme',
  'change-me',
  'change_me',
  'change-this',
  'change_this',
  'default',
  'development',
  'example',
  'insecure',
  'mcplane',
  'password',
  'placeholder',
  'production',
  'replace-me',
  'replace_me',
  // Six letters or more: a random base64 text has one of these once in ten million.
  'secret',
];
const SEQUENCES = ['0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop'];

/** Why the secret must not be used, or undefined when nothing speaks against it. Never quotes the secret. */
export function weakSecretReason(secret: string): string | undefined {
  const lengthBytes = Buffer.byteLength(secret);
  if (lengthBytes < MIN_BYTES) return `is ${lengthBytes} bytes long; at least ${MIN_BYTES} are needed`;
  const folded = secret.toLowerCase();
  if (KNOWN_WORDS.some(word => folded.includes(word))) return 'contains the words of an example value';
  if (SEQUENCES.some(sequence => folded.includes(sequence))) return 'contains a sequence of the keyboard';
  // Also finds one character, or a few, repeated: 32 random hexadecimal digits have fewer than 8 kinds once in 10^5.
  if (new Set(secret).size < 8) return 'repeats a few characters';
  return isRepeated(secret) ? 'repeats itself' : undefined;
}

/** Is it one piece, written at least twice? A text is found inside its own double before the end only then. */
function isRepeated(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length;
}
