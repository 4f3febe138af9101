// Tells long operations (subscriptions) when the credential they began with is no longer good: at its expiry, at once
// after a change made on this instance, and within seconds after one made by another.

import type { Actor } from '../domain/access.ts';
import type { Clock } from '../lib/clock.ts';
import { LiveMap } from '../lib/live-map.ts';
import type { CredentialCheck, WarningLog } from './credential-check.ts';

/** Changes by other instances must count within five seconds; one is left for the question itself. */
const RECHECK_MS = 4_000;

export interface CredentialWatch {
  /**
   * Calls back, once, when the actor's credential ends; the function returned takes that back. `onChange` hears of the
   * actor whenever their limits are not what they were.
   */
  onEnd(actor: Actor, listener: () => void, onChange?: (actor: Actor) => void): () => void;
  /** Something about this user's credentials changed, or about somebody's: looks at all of them now. */
  changed(userId?: string): void;
}

interface WatchDeps {
  readonly check: CredentialCheck;
  readonly clock: Clock;
  readonly log?: WarningLog | undefined;
}

interface Listener {
  readonly ended: () => void;
  readonly changed: ((actor: Actor) => void) | undefined;
}

/** Everybody who waits for one credential of one role shares one timer and one question to the store. */
interface Watched {
  readonly actor: Actor;
  readonly listeners: LiveMap<Listener>;
  look(): void;
  /** The same, for one who came with these limits, which may be older than what was seen last. */
  lookFor(actor: Actor): void;
  stop(): void;
}

export function createCredentialWatch(deps: WatchDeps): CredentialWatch {
  let lastListener = 0;
  const watchedByKey = new Map<string, Watched>();

  function watch(actor: Actor): Watched {
    const key = keyOf(actor);
    const known = watchedByKey.get(key);
    if (known) return known;
    const listeners = new LiveMap<Listener>();
    const looks = createLooks(actor, deps, {
      ended() {
        watchedByKey.delete(key);
        for (const listener of listeners.values()) listener.ended();
      },
      changed(fresh) {
        for (const listener of listeners.values()) listener.changed?.(fresh);
      },
    });
    const watched: Watched = {
      actor,
      listeners,
      look: looks.look,
      lookFor: looks.lookFor,
      stop() {
        if (watchedByKey.get(key) === watched) watchedByKey.delete(key);
        looks.stop();
      },
    };
    watchedByKey.set(key, watched);
    return watched;
  }

  return {
    onEnd(actor, ended, changed) {
      const watched = watch(actor);
      lastListener += 1;
      const key = String(lastListener);
      const stop = () => {
        watched.listeners.delete(key);
        if (watched.listeners.size === 0) watched.stop();
      };
      watched.listeners.set(key, { ended, changed });
      if (changed) watched.lookFor(actor);
      return stop;
    },
    changed(userId) {
      for (const watched of [...watchedByKey.values()])
        if (userId === undefined || watched.actor.userId === userId) watched.look();
    },
  };
}

/** Actors of one credential differ when its user's role changed between them. */
function keyOf({ credential, role }: Actor): string {
  return `${credential.kind} ${credential.id} ${credential.tokenVersion} ${role}`;
}

/** Looks at one credential again and again until it is stopped or has ended. */
function createLooks(
  actor: Actor,
  { check, clock, log }: WatchDeps,
  { ended, changed }: { readonly ended: () => void; readonly changed: (actor: Actor) => void },
) {
  let stopped = false;
  let limits: string | undefined = JSON.stringify(actor.rateLimits);
  let isSure = true;
  let cancelRecheck = () => {};
  const cancelExpiry =
    actor.expiresAtMs === undefined ? () => {} : clock.after(actor.expiresAtMs - clock.now(), end);

  function stop(): void {
    stopped = true;
    cancelRecheck();
    cancelExpiry();
  }
  function end(): void {
    if (stopped) return;
    stop();
    ended();
  }
  async function look(): Promise<void> {
    try {
      const fresh = await check.refresh(actor);
      if (!fresh) end();
      else tell(fresh);
    } catch (error) {
      // A database that does not answer ends nobody's stream; the expiry still does.
      log?.warn({ error, userId: actor.userId }, 'could not look at a credential again');
    }
  }
  function tell(fresh: Actor): void {
    const now = JSON.stringify(fresh.rateLimits);
    if (stopped || (isSure && now === limits)) return;
    limits = now;
    isSure = true;
    changed(fresh);
  }
  function arm(): void {
    cancelRecheck = clock.after(RECHECK_MS, () => {
      void look().then(() => {
        if (!stopped) arm();
      });
    });
  }

  arm();
  // The first look closes the gap between the operation's authentication, which may be cached, and this watch.
  void look();
  return {
    stop,
    look: () => void look(),
    lookFor({ rateLimits }: Actor) {
      if (JSON.stringify(rateLimits) === limits) return;
      limits = undefined;
      isSure = false;
      void look();
    },
  };
}
