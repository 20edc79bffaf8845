/** Who one is: a name, and a key or an access token where the service wants one. */
import { type FormEvent, type JSX, useState } from "react";
import { adviceFor } from "../store/advice.ts";
import type { SignInMode } from "../store/service-facts.ts";
import type { Failure } from "../tabs/failure.ts";
import { usePage, useValue } from "./page-context.ts";

/** As the service has it. */
const maxName = 128;

/** What can stand in the header that it is sent in. */
const credentialPattern = /^[\w.~+/-]+=*$/;

const credentialNames = { keys: "Your key", jwt: "Your access token" } as const;

export function SignInForm({ mode }: { readonly mode: SignInMode }): JSX.Element {
  const page = usePage();
  const isUnknown = useValue(page.isUnknown);
  const credentialName = isUnknown && mode !== "guest" ? credentialNames[mode] : undefined;
  const [name, setName] = useState(page.username.get() ?? "");
  const [credential, setCredential] = useState("");
  const [missing, setMissing] = useState<"name" | "credential">();
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const username = name.normalize("NFC").trim();
  const secret = credential.trim();
  const askFor = (what: "name" | "credential") => {
    setMissing(what);
    document.getElementById(what === "name" ? "username" : "credential")?.focus();
  };
  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    setFailure(undefined);
    if (mode !== "jwt" && username === "") return askFor("name");
    if (credentialName === undefined) return page.signIn(username);
    if (!credentialPattern.test(secret)) return askFor("credential");
    setBusy(true);
    setFailure(await page.signInWith(secret, mode === "jwt" ? undefined : username));
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      {mode !== "jwt" && (
        <NameField
          name={name}
          isMissing={missing === "name"}
          onChange={(text) => {
            setName(text);
            setMissing(undefined);
          }}
        >
          {credentialName === undefined && <StartButton />}
        </NameField>
      )}
      {credentialName !== undefined && (
        <CredentialField
          label={credentialName}
          credential={credential}
          isMissing={missing === "credential"}
          onChange={(text) => {
            setCredential(text);
            setMissing(undefined);
          }}
        >
          <StartButton isBusy={isBusy} />
        </CredentialField>
      )}
      {failure !== undefined && (
        <p className="field-error" role="alert">
          {failure.detail} {adviceOf(failure)}
        </p>
      )}
    </form>
  );
}

/** What the page says elsewhere of a credential that is no good is to come here. */
function adviceOf(failure: Failure): string {
  return failure.code === "invalid_credential" ? "It may have ended, or a part of it is missing." : adviceFor(failure);
}

function StartButton({ isBusy = false }: { readonly isBusy?: boolean }): JSX.Element {
  return (
    <button type="submit" className="primary" disabled={isBusy}>
      Start
    </button>
  );
}

type FieldProps = {
  readonly isMissing: boolean;
  readonly onChange: (text: string) => void;
  readonly children: JSX.Element | false;
};

function NameField({ name, isMissing, onChange, children }: FieldProps & { readonly name: string }): JSX.Element {
  return (
    <>
      <label htmlFor="username">What is your name?</label>
      <div className="start-row">
        <input
          id="username"
          value={name}
          maxLength={maxName}
          autoComplete="nickname"
          // biome-ignore lint/a11y/noAutofocus: there is nothing else to do here
          autoFocus
          aria-invalid={isMissing}
          aria-describedby={isMissing ? "username-missing" : undefined}
          onChange={({ target }) => onChange(target.value)}
        />
        {children}
      </div>
      {isMissing && (
        <p id="username-missing" className="field-error" role="alert">
          Any name will do, but one is needed.
        </p>
      )}
    </>
  );
}

type CredentialFieldProps = FieldProps & { readonly label: string; readonly credential: string };

function CredentialField({ label, credential, isMissing, onChange, children }: CredentialFieldProps): JSX.Element {
  return (
    <>
      <label htmlFor="credential">{label}</label>
      <div className="start-row">
        <input
          id="credential"
          type="password"
          value={credential}
          autoComplete="current-password"
          aria-invalid={isMissing}
          aria-describedby={isMissing ? "credential-missing" : undefined}
          onChange={({ target }) => onChange(target.value)}
        />
        {children}
      </div>
      {isMissing && (
        <p id="credential-missing" className="field-error" role="alert">
          That is none: it has letters, digits and a few signs, and no spaces.
        </p>
      )}
    </>
  );
}
