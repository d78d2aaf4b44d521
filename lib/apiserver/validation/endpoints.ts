import { isIPv4, isIPv6 } from "node:net";
import { ipFaults, nonSpecialAddress } from "./addresses.ts";
import { dnsLabel, dnsSubdomain, portNumber, qualifiedNameFaults } from "./names.ts";
import { oneOf, type Place, present } from "./place.ts";

/** Endpoints and EndpointSlices, by core's and discovery's validation. */

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"], PROTOCOLS = ["SCTP", "TCP", "UDP"];
const ADDRESSES_MAX = 100, ENDPOINTS_MAX = 1_000, PORTS_MAX = 20_000;

/** By ValidateEndpointSlice and its update. */
export function endpointSlice(at: Place): void {
  const type = at.field("addressType"), list = at.field("endpoints"), names = new Set<string>();
  if (!type.isSet) type.required();
  else if (!ADDRESS_TYPES.includes(type.text)) type.unsupported(ADDRESS_TYPES);
  if (list.items.length > ENDPOINTS_MAX) list.tooMany(list.items.length, ENDPOINTS_MAX);
  for (const endpoint of list.items) {
    // A changed type is a fault of its own.
    sliceAddresses(endpoint.field("addresses"), at.isUpdate ? String(type.old) : type.text);
    present(dnsLabel)(endpoint.field("hostname"));
    present(dnsSubdomain)(endpoint.field("nodeName"));
  }
  if (at.field("ports").items.length > PORTS_MAX) at.field("ports").tooMany(at.field("ports").items.length, PORTS_MAX);
  for (const port of at.field("ports").items) {
    const name = port.field("name"), protocol = port.field("protocol"), app = port.field("appProtocol");
    if (names.has(name.text)) name.duplicate(name.text);
    names.add(name.text);
    if (name.isSet) dnsLabel(name);
    if (!protocol.isPresent) protocol.required();
    else oneOf(...PROTOCOLS)(protocol);
    if (app.isPresent) qualifiedNameFaults(app.text).forEach((fault) => app.invalid(fault));
  }
  if (at.isUpdate && type.isChanged) type.invalid("field is immutable", null);
}

function sliceAddresses(at: Place, type: string): void {
  if (at.items.length === 0) return at.required();
  if (at.items.length > ADDRESSES_MAX) at.tooMany(at.items.length, ADDRESSES_MAX);
  for (const address of at.items) {
    if (type === "FQDN") {
      dnsSubdomain(address);
      continue;
    }
    const faults = ipFaults(address.text);
    faults.forEach((fault) => address.invalid(fault));
    if (faults.length > 0) continue;
    if (type === "IPv4" && !isIPv4(address.text)) at.invalid("must be an IPv4 address", address.text);
    else if (type === "IPv6" && !isIPv6(address.text)) at.invalid("must be an IPv6 address", address.text);
    else nonSpecialAddress(address);
  }
}

/** By ValidateEndpoints. */
export function endpoints(at: Place): void {
  for (const subset of at.field("subsets").items) {
    const addresses = subset.field("addresses").items, notReady = subset.field("notReadyAddresses").items;
    if (addresses.length + notReady.length === 0) {
      subset.required("must specify `addresses` or `notReadyAddresses`");
    }
    for (const address of [...addresses, ...notReady]) {
      const ip = address.field("ip"), faults = ipFaults(ip.text);
      faults.forEach((fault) => ip.invalid(fault, ip.text));
      if (faults.length > 0) ip.invalid("must be a valid IP address", ip.text);
      else nonSpecialAddress(ip);
      if (address.field("hostname").isSet) dnsLabel(address.field("hostname"));
    }
    for (const port of subset.field("ports").items) {
      const name = port.field("name");
      if (name.isSet) dnsLabel(name);
      else if (subset.field("ports").items.length > 1) name.required();
      portNumber(port.field("port"));
      oneOf(...PROTOCOLS)(port.field("protocol"));
    }
  }
}
