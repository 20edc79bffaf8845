/** CONTRACT of a storage back end, its part about the keys of programs; `storage.ts` says what holds for all of it. */

export type StoredKey = {
  /** Names the key, for people and logs: the beginning of its hash. */
  readonly id: string;
  /** The SHA-256 of the key in hex. The key itself is stored nowhere. */
  readonly hash: string;
  /** Whose it is; several keys may have one owner. */
  readonly owner: string;
  /** What it may be used for. */
  readonly scopes: readonly string[];
  readonly createdAt: number;
  /** From when on it is refused; null for never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
};

export type NewKey = Omit<StoredKey, "createdAt" | "revokedAt">;

export interface KeyStore {
  /** Stores a new key durably. @throws Error when there is one of that id */
  add(key: NewKey): Promise<StoredKey>;
  /** As it is now: whatever another process has done with it is seen. */
  find(id: string): Promise<StoredKey | undefined>;
  /** All of them, oldest first, also those that expired or were revoked. */
  list(): Promise<readonly StoredKey[]>;
  /** Ends a key for good. Doing so twice is harmless; undefined when there is none of that id. */
  revoke(id: string): Promise<StoredKey | undefined>;
}
