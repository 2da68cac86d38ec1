{{- define "sd.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sd.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sd.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "sd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "sd.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "sd.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "sd.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* The Secret with the server's certificate; empty without TLS. */}}
{{- define "sd.tlsSecret" -}}
{{- if .Values.tls.certManager.enabled -}}
{{- printf "%s-tls" (include "sd.fullname" .) -}}
{{- else -}}
{{- .Values.tls.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "sd.hostname" -}}
{{- printf "%s.%s.svc" (include "sd.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* What a pod of the restricted level must say. */}}
{{- define "sd.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "sd.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Not empty where callers are asked who they are by what these values say. */}}
{{- define "sd.asksCallers" -}}
{{- if or .Values.auth.apiKeysSecret .Values.auth.clientCaSecret .Values.proxies.clientCertificates }}true{{ end -}}
{{- end -}}

{{/* A value as text; a whole number of a file, which Helm has for a float, without an exponent. */}}
{{- define "sd.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}{{ else }}{{ toString . }}{{ end -}}
{{- end -}}

{{/* The server's variables, but for secrets and what a pod alone knows. */}}
{{- define "sd.variables" -}}
{{- $registry := .Values.config.registry -}}
{{- $own := dict
  "ENVIRONMENT" "kubernetes"
  "REGISTRY_TYPE" $registry.type
  "REGISTRY_PREFIX" $registry.prefix
  "SERVICE_PORT" "8090"
  "DATA_DIR" "/data"
  "LOG_LEVEL" .Values.config.logLevel
  "SHUTDOWN_GRACE" .Values.shutdown.graceSeconds
  "ANONYMOUS_ROLE" .Values.auth.anonymousRole
  "TRUSTED_PROXIES" (join "," .Values.proxies.trusted)
  "RATE_LIMIT" (.Values.limits.requestsPerSecond | default "")
  "MAX_STREAMS_PER_CALLER" (.Values.limits.streamsPerCaller | default "")
-}}
{{- if .Values.auth.disabled -}}
{{- $_ := set $own "AUTH_DISABLED" true -}}
{{- else if not (or .Values.auth.anonymousRole (include "sd.asksCallers" .)) -}}
{{- $_ := set $own "ANONYMOUS_ROLE" "reader" -}}
{{- end -}}
{{- if .Values.auth.apiKeysSecret -}}
{{- $own = merge $own (dict "API_KEY_ENABLED" true "API_KEY_FILE" "/auth/keys.json") -}}
{{- end -}}
{{- if .Values.auth.clientCaSecret -}}
{{- $_ := set $own "TLS_CLIENT_CA_FILE" "/tls/clients/ca.crt" -}}
{{- end -}}
{{- if .Values.proxies.clientCertificates -}}
{{- $_ := set $own "FORWARDED_CERT_ENABLED" true -}}
{{- end -}}
{{- if .Values.auth.rules -}}
{{- $_ := set $own "AUTH_RULES_FILE" "/rules/rules.json" -}}
{{- end -}}
{{- if .Values.tracing.enabled -}}
{{- $own = merge $own (dict
  "TRACING_ENABLED" true
  "OTEL_EXPORTER_OTLP_ENDPOINT" .Values.tracing.endpoint
  "OTEL_EXPORTER_OTLP_PROTOCOL" .Values.tracing.protocol
  "OTEL_TRACES_SAMPLER" "parentbased_traceidratio"
  "OTEL_TRACES_SAMPLER_ARG" .Values.tracing.ratio) -}}
{{- end -}}
{{- if include "sd.tlsSecret" . -}}
{{- $own = merge $own (dict "TLS_ENABLED" true "TLS_CERT_FILE" "/tls/server/tls.crt" "TLS_KEY_FILE" "/tls/server/tls.key") -}}
{{- if .Values.tls.ca -}}
{{- $_ := set $own "TLS_CA_FILE" "/tls/server/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- if .Values.serviceMonitor.enabled -}}
{{- $_ := set $own "METRICS_PORT" "9090" -}}
{{- end -}}
{{- if eq $registry.type "consul" -}}
{{- $own = merge $own (dict
  "CONSUL_HOST" $registry.consul.host
  "CONSUL_PORT" $registry.consul.port
  "CONSUL_TLS" $registry.consul.tls
  "CONSUL_DATACENTER" $registry.consul.datacenter) -}}
{{- else if eq $registry.type "etcd" -}}
{{- $own = merge $own (dict "ETCD_HOSTS" (join "," $registry.etcd.hosts) "ETCD_USER" $registry.etcd.user) -}}
{{- else if eq $registry.type "kubernetes" -}}
{{- $own = merge $own (dict
  "KUBERNETES_NAMESPACE" (join "," $registry.kubernetes.namespaces)
  "KUBERNETES_WRITE" $registry.kubernetes.write) -}}
{{- else if eq $registry.type "redis" -}}
{{- $own = merge $own (dict "REDIS_URL" $registry.redis.url "REDIS_USER" $registry.redis.user) -}}
{{- end -}}
{{- if $registry.tlsSecret -}}
{{- $_ := set $own (printf "%s_TLS_CA" (upper $registry.type)) "/tls/registry/ca.crt" -}}
{{- if $registry.clientCertificate -}}
{{- $_ := set $own (printf "%s_TLS_CERT" (upper $registry.type)) "/tls/registry/tls.crt" -}}
{{- $_ := set $own (printf "%s_TLS_KEY" (upper $registry.type)) "/tls/registry/tls.key" -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := merge (deepCopy .Values.config.env) $own -}}
{{- if ne (toString $value) "" }}
{{ $name }}: {{ include "sd.text" $value | quote }}
{{- end -}}
{{- end -}}
{{- end -}}
