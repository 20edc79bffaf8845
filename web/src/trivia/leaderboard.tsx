import type { JSX } from "react";
import type { LeaderboardView } from "../../../src/protocol/trivia.ts";
import { usePage, useValue } from "../components/page-context.ts";

/** As many are shown as can be read at a glance. */
const most = 10;

export function Leaderboard({ entries }: { readonly entries: LeaderboardView["entries"] | undefined }): JSX.Element {
  const page = usePage();
  const username = useValue(page.username);
  if (entries === undefined) return <p className="thinking">Looking</p>;
  if (entries.length === 0) return <p className="list-note">Nobody has finished a round yet.</p>;
  return (
    <table className="leaderboard">
      <thead>
        <tr>
          <th scope="col">Rank</th>
          <th scope="col">Name</th>
          <th scope="col">Score</th>
          <th scope="col">Games</th>
        </tr>
      </thead>
      <tbody>
        {entries.slice(0, most).map(({ rank, username: name, score, games }) => (
          <tr key={`${rank} ${name}`} className={name === username ? "own" : ""}>
            <td>{rank}</td>
            <td>
              <bdi>{name}</bdi>
            </td>
            <td>{score}</td>
            <td>{games}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
