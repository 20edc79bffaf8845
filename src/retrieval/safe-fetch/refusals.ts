/** Why something is not fetched, or not to its end. The sentence is for the operator. */
export type RefusalCode =
  | "url_not_allowed"
  | "fetch_redirect_refused"
  | "fetch_too_large"
  | "fetch_timeout"
  | "fetch_wrong_type"
  | "fetch_failed";

export class FetchRefused extends Error {
  override readonly name = "FetchRefused";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.code = code;
  }
}
