/** The page: who is talking, or the chat. */
import { type JSX, lazy, Suspense, useState } from "react";
import { LeaveContext } from "../markdown/external-link.tsx";
import type { ChatPage } from "../store/chat-page.ts";
import { Conversation } from "./conversation.tsx";
import { LeaveDialog, useLeaving } from "./leave-dialog.tsx";
import { LiveRegion } from "./live-region.tsx";
import { PageContext, usePage, useValue } from "./page-context.ts";
import { Sidebar } from "./sidebar.tsx";
import { StartScreen } from "./start-screen.tsx";
import { Toasts } from "./toasts.tsx";
import { TopBar } from "./top-bar.tsx";

/** Most people do not play. */
const TriviaDialog = lazy(async () => ({ default: (await import("../trivia/trivia-dialog.tsx")).TriviaDialog }));

export function App({ page }: { readonly page: ChatPage }): JSX.Element {
  return (
    <PageContext value={page}>
      <Screen />
      <Toasts />
      <LiveRegion />
    </PageContext>
  );
}

function Screen(): JSX.Element {
  const page = usePage();
  const username = useValue(page.username);
  const isUnknown = useValue(page.isUnknown);
  const mode = useValue(page.facts)?.signIn ?? "guest";
  // Of a guest it says no more than that there is no session yet.
  const needsSignIn = isUnknown && mode !== "guest";
  const leaving = useLeaving();
  if (username === undefined || needsSignIn) return <StartScreen />;
  return (
    <LeaveContext value={leaving.ask}>
      <Chat />
      <TriviaChoice />
      <LeaveDialog leaving={leaving} />
    </LeaveContext>
  );
}

function TriviaChoice(): JSX.Element | null {
  const page = usePage();
  const wanted = useValue(page.triviaDialog);
  if (wanted === undefined) return null;
  return (
    <Suspense fallback={null}>
      <TriviaDialog wanted={wanted} />
    </Suspense>
  );
}

function Chat(): JSX.Element {
  // On a phone the sessions are behind a button.
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="chat" data-sidebar={isOpen ? "open" : "closed"}>
      <Sidebar isOpen={isOpen} onClose={() => setOpen(false)} />
      <main inert={isOpen}>
        <TopBar isSidebarOpen={isOpen} onOpenSidebar={() => setOpen(true)} />
        <Conversation />
      </main>
    </div>
  );
}
