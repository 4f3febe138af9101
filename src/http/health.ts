// Health for orchestrators and numbers for Prometheus. `/livez` does no I/O: a slow database must not get the process
// killed. A provider that is down does not make the server unready.

import type { ServerResponse } from 'node:http';
import { type Actor, can, grantOf, namesOf } from '../domain/access.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { send, sendJson } from './answer.ts';
import { DRAIN_RETRY_MS, type Gate } from './gate.ts';

export interface ReadinessReport {
  readonly ready: boolean;
  /** Of each part whether it is ready, and a word about it that anybody may read. */
  readonly parts: Readonly<Record<string, { readonly ready: boolean; readonly detail?: string }>>;
}

export interface Health {
  ready(): Promise<ReadinessReport>;
  readonly version: string;
}

export interface HealthDeps {
  readonly health: Health;
  readonly metrics?: (() => Promise<{ readonly contentType: string; readonly body: string }>) | undefined;
  /** Without a credential too; for a server whose network is the protection. */
  readonly metricsPublic: boolean;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
}

export interface HealthEndpoints {
  live(response: ServerResponse): void;
  ready(response: ServerResponse, verbose: boolean): Promise<void>;
  metrics(response: ServerResponse, actor: Actor | null): Promise<void>;
}

/** Probes come from anybody, so what they cost is bounded: one check at a time, good for a second. */
const REPORT_MS = 1_000;
const CHECK_TIMEOUT_MS = 2_000;

export function createHealthEndpoints(deps: HealthDeps): HealthEndpoints {
  const { health, metrics, gate, clock, log } = deps;
  let report: Promise<ReadinessReport> | undefined;
  let reportedAtMs = 0;

  function currentReport(): Promise<ReadinessReport> {
    if (!report || clock.monotonic() - reportedAtMs >= REPORT_MS) {
      reportedAtMs = clock.monotonic();
      report = inTime(health.ready(), clock).catch(error => {
        log.error({ error }, 'the readiness check failed');
        return { ready: false, parts: { check: { ready: false, detail: 'failed or took too long' } } };
      });
    }
    return report;
  }

  return {
    live: response => sendJson(response, 200, { status: 'ok', version: health.version }),
    async ready(response, verbose) {
      const { ready, parts } = gate.draining
        ? { ready: false, parts: { server: { ready: false, detail: 'draining' } } }
        : await currentReport();
      const status = gate.draining ? 'draining' : ready ? 'ready' : 'unavailable';
      const body = verbose ? { status, version: health.version, parts } : { status };
      const headers: Record<string, string> = ready ? {} : { 'retry-after': String(DRAIN_RETRY_MS / 1_000) };
      sendJson(response, ready ? 200 : 503, body, headers);
    },
    async metrics(response, actor) {
      if (!metrics)
        return sendJson(response, 404, { error: { code: 'NOT_FOUND', message: 'No metrics here.' } });
      if (!deps.metricsPublic && !actor) {
        log.warn('a scrape of /metrics came without a valid token');
        const error = {
          code: 'UNAUTHENTICATED',
          message: 'Send the API key of a SERVICE or ADMIN as bearer token.',
        };
        return sendJson(response, 401, { error }, { 'www-authenticate': 'Bearer' });
      }
      if (!deps.metricsPublic && actor && !can(actor, 'metrics:scrape')) {
        log.warn({ userId: actor.userId }, 'a scrape of /metrics came with the wrong role or key');
        const { roles, scopes } = grantOf('metrics:scrape');
        const message = `Metrics are for the roles ${roles.join(' and ')}, by an API key with ${namesOf(scopes)}.`;
        return sendJson(response, 403, { error: { code: 'FORBIDDEN', message } });
      }
      const { contentType, body } = await metrics();
      send(response, { status: 200, headers: { 'content-type': contentType }, body });
    },
  };
}

async function inTime<T>(work: Promise<T>, clock: Clock): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(CHECK_TIMEOUT_MS, () => late.reject(new Error('timed out')));
  work.catch(() => {});
  return Promise.race([work, late.promise]).finally(cancel);
}
