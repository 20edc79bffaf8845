/** Name → addresses, checked where they are dialled: between check and connection there is no second answer. */
import { lookup as lookUpName } from "node:dns";
import type { LookupFunction } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";
import { FetchRefused } from "./refusals.ts";

export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export const resolveName: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookUpName(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });

/** A name of which one address is not the internet's is refused whole. */
export function checkedLookup(resolve: Resolve, loopback: boolean): LookupFunction {
  return (host, options, callback) => {
    const isAllowed = (address: string) =>
      host === "localhost" ? loopback && isLoopbackAddress(address) : isPublicAddress(address);
    resolve(host)
      .then((addresses) => {
        const [first] = addresses;
        if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
          throw new FetchRefused("url_not_allowed", `${host} leads into a network that is not the internet.`);
        }
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      })
      .catch((error) => callback(error, "", 0));
  };
}
