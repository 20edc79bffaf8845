/** Figures as people read them: three digits, and their unit. */

export function number(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value === 0 || Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

export function microseconds(value: number): string {
  return `${number(value)} µs`;
}

export function milliseconds(value: number): string {
  return `${number(value)} ms`;
}

export function mebibytes(bytes: number): string {
  return `${number(bytes / 2 ** 20)} MiB`;
}

export function kibibytes(bytes: number): string {
  return `${number(bytes / 2 ** 10)} KiB`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function times(ratio: number): string {
  return Number.isNaN(ratio) ? "–" : `${ratio.toFixed(2)}×`;
}
