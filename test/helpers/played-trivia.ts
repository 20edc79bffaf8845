/** The game on the page, played as a person plays it. */
import type { BrowserContext, Locator } from "playwright-core";
import { ChatPage } from "./chat-page.ts";

/** Begins a game as somebody does who has just come. */
export async function beginTrivia(context: BrowserContext, url: string, show = "Seinfeld"): Promise<ChatPage> {
  const chat = await ChatPage.enter(context, url);
  await chat.page.getByRole("button", { name: "Play trivia" }).last().click();
  await chat.page.getByLabel("Show").selectOption({ label: await labelOf(chat, show) });
  await chat.page.getByRole("button", { name: "Play", exact: true }).click();
  await questionOf(chat, 1).waitFor();
  return chat;
}

/** A show in the list, whose years are told as well. */
export async function labelOf({ page }: ChatPage, show: string): Promise<string> {
  const option = page.getByRole("option").filter({ hasText: show }).first();
  await option.waitFor({ state: "attached" });
  return option.innerText();
}

/** The card with the question that is open. */
export function questionOf({ last }: ChatPage, number: number): Locator {
  return last.locator(".question.open").filter({ hasText: `Question ${number} of 10` });
}

/** Answers the open question, by its first option where it has some, and waits for the next one. */
export async function answer(chat: ChatPage, number: number): Promise<void> {
  const options = questionOf(chat, number).locator(".option");
  if ((await options.count()) > 0) await options.first().click();
  else await chat.say("Nobody");
  if (number < 10) await questionOf(chat, number + 1).waitFor();
}

/** Answers what is to be typed, until there is a question with options; its number. */
export async function nextWithOptions(chat: ChatPage, from: number): Promise<number> {
  let number = from;
  for (; (await questionOf(chat, number).locator(".option").count()) === 0; number += 1) await answer(chat, number);
  return number;
}
