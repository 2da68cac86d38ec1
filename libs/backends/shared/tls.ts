/** Codes of what Node and OpenSSL find wrong with certificates and handshakes, by themselves or in a text: no waiting mends it. */
export const TLS_FAILURE =
  /\b(CERT_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH|ERR_(SSL|TLS|OSSL)\w+|UNABLE_TO_\w+|EPROTO)\b/;
