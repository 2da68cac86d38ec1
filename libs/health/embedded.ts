/**
 * The IPv4 address that an IPv6 address stands for, where it is of a form that some host, gateway or
 * relay turns into IPv4; undefined where it is not.
 * @param address An IPv6 address without a zone, in any spelling.
 */
export function embeddedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const form = FORMS.find(({ prefix }) => prefix.every((group, i) => groups[i] === group));
  if (!form) return undefined;
  const [high = 0, low = 0] = groups.slice(form.at);
  // Of ::/96, the addresses :: and ::1 are their own.
  if (form.prefix === COMPATIBLE && high === 0 && low <= 1) return undefined;
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

const COMPATIBLE: readonly number[] = [0, 0, 0, 0, 0, 0];

/** The first groups of each form, and the group where the IPv4 address begins. */
const FORMS: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  { prefix: COMPATIBLE, at: 6 }, // RFC 4291, IPv4-compatible
  { prefix: [0, 0, 0, 0, 0, 0xffff], at: 6 }, // RFC 4291, IPv4-mapped
  { prefix: [0, 0, 0, 0, 0xffff, 0], at: 6 }, // RFC 2765, IPv4-translated
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 }, // RFC 6052, NAT64
  { prefix: [0x2002], at: 1 }, // RFC 3056, 6to4
];

function groupsOf(address: string): number[] {
  // The URL parser knows every spelling and leaves one: hexadecimal groups with at most one gap.
  const [head = [], tail = []] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::').map(numbers);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function numbers(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => parseInt(group, 16));
}
