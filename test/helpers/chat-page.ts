/** The chat page in a real browser, used as a person uses it: by what is written on it. */
import type { BrowserContext, Locator, Page } from "playwright-core";

export class ChatPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** A tab of this browser; where nobody has said who is there, on the first screen. */
  static async open(context: BrowserContext, url: string): Promise<ChatPage> {
    const page = await context.newPage();
    await page.goto(url);
    return new ChatPage(page);
  }

  /** A tab in which somebody has said who they are. */
  static async enter(context: BrowserContext, url: string, username = "TR"): Promise<ChatPage> {
    const chat = await ChatPage.open(context, url);
    await chat.sayName(username);
    return chat;
  }

  async sayName(username: string): Promise<void> {
    await this.page.getByLabel("What is your name?").fill(username);
    await this.page.getByRole("button", { name: "Start" }).click();
    await this.field.waitFor();
  }

  get field(): Locator {
    return this.page.getByRole("textbox", { name: "Your message" });
  }

  /** Prompts and answers that are in sight, oldest first. */
  get exchanges(): Locator {
    return this.page.getByRole("article");
  }

  /** The newest of them. */
  get last(): Locator {
    return this.exchanges.last();
  }

  /** Its answer, as far as it is there. */
  get answer(): Locator {
    return this.last.locator(".markdown, .answer > .plain");
  }

  get list(): Locator {
    return this.page.getByRole("navigation", { name: "Your chats" });
  }

  /** The way to a session in the side bar. */
  session(title: string): Locator {
    return this.list.getByRole("link", { name: title });
  }

  get sessionId(): string {
    return new URL(this.page.url()).hash.slice(1);
  }

  /** Types and sends; the answer may take its time. */
  async say(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** Says something and waits until it was answered; gives the answer. */
  async ask(text: string): Promise<string> {
    await this.say(text);
    await this.last.getByText(text, { exact: true }).first().waitFor();
    return this.whole();
  }

  /** Waits until the newest answer is whole; gives its text. */
  async whole(): Promise<string> {
    await this.last.getByRole("button", { name: "Answer again" }).waitFor();
    return this.answer.innerText();
  }

  /** Opens the menu of a session and chooses from it. */
  async choose(title: string, action: string): Promise<void> {
    await this.session(title).hover();
    await this.list.getByRole("button", { name: `What to do with “${title}”` }).click();
    await this.page.getByRole("menuitem", { name: action, exact: true }).click();
  }
}
