// How much the log may say of model requests.

/** Nothing of requests; who asked whom, how it went and what it took; and what was asked and answered as well. */
export const LOG_CONTENTS = ['none', 'metadata', 'full'] as const;
export type LogContent = (typeof LOG_CONTENTS)[number];
