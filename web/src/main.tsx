/** Puts the page together and shows it. */
import { createRoot } from "react-dom/client";
import { ChatClient } from "../../client/index.ts";
import { App } from "./components/app.tsx";
import { openAddress } from "./store/address.ts";
import { ChatPage } from "./store/chat-page.ts";
import { makeId } from "./store/make-id.ts";
import { openTextStorage } from "./store/text-storage.ts";
import { openTheme } from "./store/theme.ts";
import { standForElection } from "./tabs/election.ts";
import { openTabBus } from "./tabs/tab-bus.ts";

const siteStorage = openTextStorage(storageOf(() => localStorage));

const page: ChatPage = new ChatPage({
  client: new ChatClient({ fetch: watchedFetch }),
  bus: openTabBus("chat"),
  election: standForElection("chat-leader", navigator.locks),
  makeId,
  tabStorage: openTextStorage(storageOf(() => sessionStorage)),
  siteStorage,
  address: openAddress(),
  theme: openTheme(siteStorage),
  startAnew: () => location.replace(location.pathname),
});

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root to draw into");
createRoot(root).render(<App page={page} />);
page.start();

addEventListener("online", () => page.lookAgain());
addEventListener("pagehide", () => page.finish());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") page.lookAgain();
});

/** Whatever was asked for: that the service does not know who is there is for the whole page to know. */
async function watchedFetch(...request: Parameters<typeof fetch>): Promise<Response> {
  const sentAt = performance.now();
  const response = await fetch(...request);
  if (response.status === 401) page.refused(sentAt);
  return response;
}

/** A browser that is told to keep nothing throws already where its storage is named. */
function storageOf(name: () => Storage): Storage | undefined {
  try {
    return name();
  } catch {
    return undefined;
  }
}
