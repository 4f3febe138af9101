// How long a new password has to be, and may be.

/** Lengths in characters. */
export interface PasswordPolicy {
  readonly minLength: number;
  readonly maxLength: number;
}

export const DEFAULT_PASSWORD_POLICY: PasswordPolicy = { minLength: 8, maxLength: 256 };
/** What a policy may say. Under all of them no password is shorter than the first or longer than the last. */
export const PASSWORD_POLICY_BOUNDS = { minLength: [8, 64], maxLength: [64, 1_024] } as const;
