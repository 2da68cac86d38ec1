/**
 * Networks that no probe may reach, by the reason that an operator reads. Sources: the IANA IPv4 and
 * IPv6 special-purpose address registries, and the clouds' own documentation of their metadata
 * services, which hand out credentials to whoever can reach them.
 */
export const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'a cloud metadata service': [
    '169.254.169.254', // most clouds
    '169.254.170.2', // AWS, credentials of tasks
    '168.63.129.16', // Azure
    '100.100.100.200', // Alibaba
    '192.0.0.192', // Oracle
    'fd00:ec2::254', // AWS
    'fd00:ec2::23', // AWS, credentials of pods
    'fd20:ce::254', // Google
    'fd00:c1::a9fe:a9fe', // Oracle
    'fd00:42::42', // Scaleway
  ],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  unspecified: ['0.0.0.0/8', '::'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  broadcast: ['255.255.255.255'],
  // Teredo and local-use NAT64: which IPv4 address is meant depends on somebody's relay.
  'a tunnel to an address that cannot be told': ['2001::/32', '64:ff9b:1::/48'],
};

export const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1'];
