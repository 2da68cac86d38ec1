import { z } from 'zod';

/** Of a label, and of its value too. */
const PREFIX = /^[a-z0-9](?:[a-z0-9.-]{0,40}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const ALL_NAMESPACES = '*';

export const options = z
  .object({
    KUBECONFIG: z
      .string()
      .optional()
      .meta({ description: "files as kubectl takes them; otherwise the pod's own ServiceAccount, or ~/.kube/config" }),
    KUBERNETES_CONTEXT: z
      .string()
      .optional()
      .meta({ description: 'context of the kubeconfig; otherwise its current one' }),
    KUBERNETES_NAMESPACE: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .refine(
        (names) => names.every((name) => NAMESPACE.test(name)) || (names.length === 1 && names[0] === ALL_NAMESPACES),
        'must be a namespace, several parted by commas, or * for all',
      )
      .optional()
      .meta({
        description:
          "a namespace, several parted by commas, or * for all; otherwise the pod's or the context's own. With several, services are called name.namespace",
      }),
    KUBERNETES_WRITE: z
      .stringbool()
      .prefault('false')
      .meta({ description: 'whether to register in this namespace: true or false. Otherwise it is only read' }),
    REGISTRY_PREFIX: z
      .string()
      .regex(PREFIX, 'must be a name such as service-discovery, of a–z, 0–9, "-" and ".", at most 42 characters')
      .prefault('service-discovery')
      .meta({ description: 'prefix of labels and annotations that are for us, and the value of our managed-by label' }),
  })
  .superRefine(({ KUBERNETES_NAMESPACE: names = [], KUBERNETES_WRITE: write }, context) => {
    if (!write || (names.length < 2 && names[0] !== ALL_NAMESPACES)) return;
    context.addIssue({
      code: 'custom',
      path: ['KUBERNETES_WRITE'],
      message: 'needs one KUBERNETES_NAMESPACE to write to',
    });
  });
