/** Numbers as people write them out: "twenty-one", "one hundred and eighty", "nineteen ninety-four". */

const small = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
  "thirteen",
  "fourteen",
  "fifteen",
  "sixteen",
  "seventeen",
  "eighteen",
  "nineteen",
];
const tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

const values: ReadonlyMap<string, number> = new Map([
  ...small.map((word, value) => [word, value] as const),
  ...tens.map((word, index) => [word, (index + 2) * 10] as const),
]);

const ordinals: ReadonlyMap<string, string> = new Map(
  `first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
  sixteenth seventeenth eighteenth nineteenth twentieth`
    .split(/\s+/)
    .map((word, index) => [word, String(index + 1)]),
);

/** "fourth" and "4th" as "4"; any other word as it is. */
export function withoutOrdinal(word: string): string {
  return ordinals.get(word) ?? word.replace(/^(\d+)(?:st|nd|rd|th)$/, "$1");
}

/** Lower-case words, of which those that are numbers become digits. */
export function numbersAsDigits(words: readonly string[]): readonly string[] {
  if (!words.some((word) => values.has(word))) return words;
  const written: string[] = [];
  for (let at = 0; at < words.length; ) {
    const number = numberAt(words, at);
    if (number === undefined) {
      written.push(words[at] ?? "");
      at += 1;
    } else {
      written.push(String(number.value));
      at = number.end;
    }
  }
  return written;
}

type Found = { readonly value: number; readonly end: number };

function numberAt(words: readonly string[], at: number): Found | undefined {
  const first = belowHundred(words, at);
  if (first === undefined) return undefined;
  if (words[first.end] === "hundred" && first.value > 0) return withHundreds(words, first);
  // "nineteen ninety four" is a year, "nineteen four" is two numbers.
  const second = first.value >= 10 && first.value <= 20 ? belowHundred(words, first.end) : undefined;
  if (second === undefined || second.value < 10) return first;
  return { value: first.value * 100 + second.value, end: second.end };
}

function withHundreds(words: readonly string[], { value, end }: Found): Found {
  const hundreds = value * 100;
  const after = end + 1;
  const rest = belowHundred(words, words[after] === "and" ? after + 1 : after);
  return rest === undefined ? { value: hundreds, end: after } : { value: hundreds + rest.value, end: rest.end };
}

function belowHundred(words: readonly string[], at: number): Found | undefined {
  const value = values.get(words[at] ?? "");
  if (value === undefined) return undefined;
  const unit = values.get(words[at + 1] ?? "");
  if (value < 20 || unit === undefined || unit === 0 || unit > 9) return { value, end: at + 1 };
  return { value: value + unit, end: at + 2 };
}
