/** Everything that the page knows and can do, without a word about how it looks. */
import type { ChatClient } from "../../../client/index.ts";
import type { Election } from "../tabs/election.ts";
import { type Failure, failureOf, isAboutCredential } from "../tabs/failure.ts";
import type { TabBus } from "../tabs/tab-bus.ts";
import { TurnFeed } from "../tabs/turn-feed.ts";
import type { Address } from "./address.ts";
import { Announcer } from "./announcer.ts";
import { Dialogue } from "./dialogue.ts";
import { Drafts } from "./drafts.ts";
import type { Exchange } from "./exchange.ts";
import { Notices } from "./notices.ts";
import { Observable } from "./observable.ts";
import { Outbox, type OutboxItem } from "./outbox.ts";
import { PendingDeletions } from "./pending-deletions.ts";
import { Search } from "./search.ts";
import { readServiceFacts, type ServiceFacts } from "./service-facts.ts";
import { Sessions } from "./sessions.ts";
import type { TextStorage } from "./text-storage.ts";
import type { Theme } from "./theme.ts";
import { promptFor, type TriviaWish } from "./trivia.ts";
import { TriviaOverview } from "./trivia-overview.ts";

export type ChatPageOptions = {
  readonly client: ChatClient;
  readonly bus: TabBus;
  readonly election: Election;
  /** Random, for this tab and for what it sends. */
  readonly makeId: () => string;
  /** For this tab. */
  readonly tabStorage: TextStorage;
  /** For all tabs, and for later. */
  readonly siteStorage: TextStorage;
  readonly address: Address;
  readonly theme: Observable<Theme>;
  /** Loads the page once more, for a new person. */
  readonly startAnew: () => void;
};

const usernameStoredAs = "username";

export class ChatPage {
  readonly username: Observable<string | undefined>;
  readonly theme: Observable<Theme>;
  readonly isConnectionLost = new Observable(false);
  readonly facts = new Observable<ServiceFacts | undefined>(undefined);
  /** The service wants to know anew who is there: nobody has signed in yet, or not for long enough. */
  readonly isUnknown = new Observable(false);
  readonly notices = new Notices();
  readonly announcer = new Announcer();
  readonly drafts: Drafts;
  readonly outbox: Outbox;
  readonly sessions: Sessions;
  readonly search: Search;
  readonly dialogue: Dialogue;
  readonly address: Address;
  /** The turn that somebody asked to see, until it is shown. */
  readonly wantedTurn = new Observable<number | undefined>(undefined);
  readonly triviaOverview: TriviaOverview;
  /** Whether somebody chooses a game, or looks who is best. */
  readonly triviaDialog = new Observable<"play" | "best" | undefined>(undefined);
  readonly #options: ChatPageOptions;
  readonly #feed: TurnFeed;
  #knownSince = 0;
  #isByHand = false;

  constructor(options: ChatPageOptions) {
    const { client, bus, election, makeId, tabStorage, siteStorage, address, theme } = options;
    this.#options = options;
    this.address = address;
    this.theme = theme;
    this.username = new Observable(siteStorage.read(usernameStoredAs));
    this.username.subscribe(() => siteStorage.write(usernameStoredAs, this.username.get()));
    this.drafts = new Drafts(tabStorage);
    this.#feed = new TurnFeed({
      client,
      bus,
      election,
      tab: makeId(),
      onConnection: (isLost) => this.isConnectionLost.set(isLost),
    });
    this.dialogue = new Dialogue({
      client,
      feed: this.#feed,
      events: {
        answering: (text, end) => {
          this.announcer.answering(text, end);
          if (end !== undefined) void this.sessions.refresh();
        },
        failed: (failure) => this.notices.add(failure),
      },
    });
    this.outbox = new Outbox({
      client,
      storage: tabStorage,
      username: () => this.username.get() ?? "",
      makeId,
      onOpened: (sessionId) => {
        if (this.dialogue.state.get().sessionId === undefined) this.#becomeSession(sessionId);
      },
      onAccepted: (answer, item) => {
        if (this.dialogue.state.get().sessionId === item.sessionId) this.dialogue.accepted(answer, item);
        // Whoever opens the session later follows it from its log.
        else void answer.return();
        this.#tellOthers(item.sessionId);
        void this.sessions.refresh();
      },
      onOvertaken: () => {
        const detail = "The game has gone on elsewhere. Here is how it stands.";
        this.notices.add({ code: "stale_turn", detail, retryable: false });
        void this.dialogue.refresh();
      },
      onConnection: (answer, change) => this.#feed.connectionChanged(answer, change),
    });
    this.sessions = new Sessions({
      client,
      username: this.username.get,
      pending: new PendingDeletions(siteStorage),
      onFailure: (failure) => this.notices.add(failure),
      onChanged: () => this.#tellOthers(undefined),
      onRemoved: (sessionId) => {
        if (this.dialogue.state.get().sessionId === sessionId) address.show(undefined);
      },
    });
    this.search = new Search(client, this.username.get);
    this.triviaOverview = new TriviaOverview(client);
    bus.listen((message) => {
      if (message.kind === "signed-out") this.#forgetAll();
      if (message.kind === "signed-in") this.#becomeKnown();
      if (message.kind !== "changed") return;
      void this.sessions.refresh();
      if (message.sessionId === this.dialogue.state.get().sessionId) void this.dialogue.refresh();
    });
  }

  /** Begins to talk to the service. */
  start(): void {
    void readServiceFacts().then((facts) => {
      this.facts.set(facts);
      if (facts !== undefined && facts.signIn !== "guest" && this.username.get() === undefined)
        void this.#askWhoIsThere();
    });
    const { sessionId } = this.address;
    sessionId.subscribe(() => void this.dialogue.open(sessionId.get()));
    void this.dialogue.open(sessionId.get());
    if (this.username.get() !== undefined) {
      void this.sessions.refresh();
      void this.sessions.resumeRemovals();
      this.outbox.resume();
    }
  }

  /** Says who is talking. The name is remembered for the next time. */
  signIn(username: string): void {
    this.username.set(username);
    void this.sessions.refresh();
    this.outbox.resume();
  }

  /**
   * Signs in with a key or an access token, which the browser keeps out of reach of script; gives what went wrong.
   *
   * @param username undefined where the credential says it
   */
  async signInWith(credential: string, username: string | undefined): Promise<Failure | undefined> {
    try {
      const { username: own } = await this.#options.client.logIn(credential);
      this.username.set(own ?? username);
    } catch (error) {
      return failureOf(error);
    }
    this.#options.bus.post({ kind: "signed-in" });
    this.#becomeKnown();
    return undefined;
  }

  /** The service did not know who sent this. @param sentAt by `performance.now()` */
  refused(sentAt: number): void {
    // What was sent before somebody signed in says nothing any more.
    if (sentAt > this.#knownSince) this.isUnknown.set(true);
  }

  /** Back to the question who is talking. */
  changeUsername(): void {
    this.username.set(undefined);
    this.address.show(undefined);
    void this.sessions.refresh();
  }

  /** Goes to a turn of a session, such as one that was found. */
  async showTurn(sessionId: string, turn: number): Promise<void> {
    this.address.show(sessionId);
    await this.dialogue.open(sessionId);
    if (await this.dialogue.reach(turn)) this.wantedTurn.set(turn);
  }

  /** Has the browser forget who this is, in all its tabs. The sessions stay, and nobody can reach them by the page. */
  async signOut(): Promise<void> {
    try {
      const response = await fetch("/logout", { method: "POST" });
      if (!response.ok) throw new Error(`POST /logout was answered with ${response.status}`);
      this.#options.bus.post({ kind: "signed-out" });
      this.#forgetAll();
    } catch {
      this.notices.add({
        code: "connection_lost",
        detail: "The service could not be told. You are still signed in.",
        retryable: false,
      });
    }
  }

  /** Sends what was typed. */
  ask(prompt: string): void {
    const { sessionId } = this.dialogue.state.get();
    this.#isByHand = false;
    this.drafts.of(sessionId).set("");
    this.outbox.add({ sessionId, what: "prompt", prompt, turn: undefined });
  }

  /** Begins a game: in a dialogue of its own where this one is about something else already. */
  startTrivia(wish: TriviaWish): void {
    this.triviaDialog.set(undefined);
    this.#isByHand = true;
    if (this.dialogue.state.get().exchanges.length > 0) this.address.show(undefined);
    const { sessionId } = this.dialogue.state.get();
    this.outbox.add({ sessionId, what: "prompt", prompt: promptFor(wish), turn: undefined });
  }

  /** Says something to the game by a click or a key: about the question that is shown, and no other one. */
  playTrivia(prompt: string): void {
    this.#isByHand = true;
    const { sessionId, exchanges } = this.dialogue.state.get();
    const after = exchanges.at(-1)?.answerTurn;
    this.outbox.add({ sessionId, what: "prompt", prompt, turn: undefined, after });
  }

  /** Whether somebody plays by buttons and digits, and types nothing meanwhile: then the next question takes the focus. */
  isPlayedByHand(): boolean {
    return this.#isByHand && this.drafts.of(this.dialogue.state.get().sessionId).get() === "";
  }

  /** The prompt takes the place of an earlier one and of all that came after it. */
  edit({ turn }: Exchange, prompt: string): void {
    const { sessionId } = this.dialogue.state.get();
    this.outbox.add({ sessionId, what: "prompt", prompt, turn });
  }

  regenerate({ turn, prompt }: Exchange): void {
    const { sessionId } = this.dialogue.state.get();
    this.outbox.add({ sessionId, what: "regenerate", prompt, turn });
  }

  continueAnswer({ turn }: Exchange): void {
    const { sessionId } = this.dialogue.state.get();
    this.outbox.add({ sessionId, what: "continue", prompt: "", turn });
  }

  stop(exchange: Exchange): void {
    void this.dialogue.stop(exchange).then(() => this.#tellOthers(this.dialogue.state.get().sessionId));
  }

  /** Takes back what was not accepted, to be typed anew. */
  takeBack(item: OutboxItem): void {
    this.outbox.take(item.id);
    if (item.what === "prompt") this.drafts.restore(item.sessionId, item.prompt);
  }

  /** Somebody looks at the page again: it may have slept for long. */
  lookAgain(): void {
    this.#feed.hurry();
    this.outbox.resume();
    if (this.username.get() !== undefined) void this.sessions.refresh();
    void this.dialogue.refresh();
  }

  /** The page goes. */
  finish(): void {
    this.sessions.finish((sessionId) => {
      void fetch(`/sessions/${sessionId}`, { method: "DELETE", keepalive: true });
    });
  }

  /** The browser may hold a credential that a page of before left. */
  async #askWhoIsThere(): Promise<void> {
    try {
      const { username } = await this.#options.client.logIn();
      if (username !== null) this.signIn(username);
    } catch (error) {
      // That it holds none is told by the refusal itself.
      const failure = failureOf(error);
      if (!isAboutCredential(failure)) this.notices.add(failure);
    }
  }

  /** What was refused for want of a credential, or of a good one, is done now. */
  #becomeKnown(): void {
    this.#knownSince = performance.now();
    this.isUnknown.set(false);
    this.outbox.retryUnknown();
    void this.sessions.resumeRemovals();
    this.lookAgain();
  }

  #becomeSession(sessionId: string): void {
    // First the dialogue, which would otherwise be read anew.
    this.dialogue.become(sessionId);
    this.address.become(sessionId);
    const typed = this.drafts.of(undefined).get();
    this.drafts.of(undefined).set("");
    if (typed !== "") this.drafts.restore(sessionId, typed);
  }

  #tellOthers(sessionId: string | undefined): void {
    this.#options.bus.post({ kind: "changed", sessionId });
  }

  /** A new page knows nothing of this one. */
  #forgetAll(): void {
    this.#options.tabStorage.clear();
    this.#options.siteStorage.clear();
    this.#options.startAnew();
  }
}
