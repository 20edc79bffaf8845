/** What signing in on the page answers. */
import { z } from "zod";

export const loginSchema = z
  .object({
    username: z.string().nullable().describe("The only username that the credential may use; `null` if it may use any"),
    valid_for: z
      .number()
      .int()
      .min(0)
      .nullable()
      .describe("For how many seconds the credential is valid; `null` if it does not expire"),
  })
  .meta({ id: "Login" });
export type Login = z.infer<typeof loginSchema>;
