/** The SQL of whether somebody owns anything. Runs in the writer's thread. */
import type { DatabaseSync } from "node:sqlite";

type NotePrincipal = (principal: string, now: number) => void;

/** To be called with whatever makes somebody own something. */
export function principalAdder(database: DatabaseSync): NotePrincipal {
  const add = database.prepare(`
    INSERT INTO principals (principal, created_at) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET idle_since = NULL WHERE idle_since IS NOT NULL
  `);
  return (principal, now) => void add.run(principal, now);
}

/** To be called when something of somebody's is gone, which may have been the last. */
export function idleMarker(database: DatabaseSync): NotePrincipal {
  const mark = database.prepare(`
    UPDATE principals SET idle_since = ?
    WHERE principal = ? AND NOT EXISTS (SELECT 1 FROM sessions WHERE owner = principals.principal)
    AND NOT EXISTS (SELECT 1 FROM players WHERE principal = principals.principal)
  `);
  return (principal, now) => void mark.run(now, principal);
}
