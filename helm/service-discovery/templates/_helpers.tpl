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
-}}
{{- if .Values.auth.apiKeysSecret -}}
{{- $own = merge $own (dict "API_KEY_ENABLED" true "API_KEY_FILE" "/auth/keys.json") -}}
{{- else if .Values.auth.disabled -}}
{{- $_ := set $own "AUTH_DISABLED" true -}}
{{- else if not .Values.auth.anonymousRole -}}
{{- $_ := set $own "ANONYMOUS_ROLE" "reader" -}}
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
{{ $name }}: {{ toString $value | quote }}
{{- end -}}
{{- end -}}
{{- end -}}
